"""What a workflow can do, one step at a time, and the permissions each step needs of the key that started the run."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from scopekey.demo.text import Name

MANY_STEPS = 50
LONGEST_PAUSE = 60.0


class _Step(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


class RunQuery(_Step):
    """Run a saved query as a job; with `into`, add its rows to the dataset of that name, made where there is none."""

    do: Literal["run_query"]
    query_id: int = Field(ge=1, le=2**62, examples=[7])
    into: Name | None = Field(default=None, examples=["revenue"])


class Export(_Step):
    """Hand a dataset over to a connection."""

    do: Literal["export"]
    dataset: Name = Field(examples=["revenue"])
    connection_id: int = Field(ge=1, le=2**62, examples=[3])


class Pause(_Step):
    """Wait."""

    do: Literal["pause"]
    seconds: float = Field(gt=0, le=LONGEST_PAUSE, allow_inf_nan=False, examples=[5])


Step = Annotated[RunQuery | Export | Pause, Field(discriminator="do")]
STEPS: TypeAdapter[list[RunQuery | Export | Pause]] = TypeAdapter(list[Step])


def needs(step: RunQuery | Export | Pause) -> tuple[str, ...]:
    """The permissions a step needs; a pause needs none, but a key that is still live."""
    if isinstance(step, RunQuery):
        # What running the query over HTTP needs, and what uploading its rows would.
        return ("queries:write", "datasets:read", *(("datasets:write",) if step.into else ()))
    return ("datasets:read", "connections:read") if isinstance(step, Export) else ()
