"""A catalog as a module of TypeScript; that it compiles is shown with the compiler, in clients/typescript."""

from scopekey.core.catalog import Catalog, Preset, Resource
from scopekey.insight.typescript import typescript


def test_what_a_catalog_calls_itself_cannot_leave_its_string():
    catalog = Catalog('a"\n*/ evil()', (Resource("data", 'D"\u2028\n', "Core", ("read",)),))
    module = typescript(catalog)
    assert '// The permissions of the catalog "a\\"\\n*/ evil()", written by' in module
    assert '  "data:read": "Read D\\"\\u2028\\n",\n' in module


def test_presets_are_told_with_their_permissions():
    datasets = Resource("datasets", "Datasets", "Core", ("read",))
    catalog = Catalog("shop", (datasets,), (Preset("look", "Look", ("datasets:read",)),))
    assert '  "look": ["datasets:read"],\n' in typescript(catalog)
