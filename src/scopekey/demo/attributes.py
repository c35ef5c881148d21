"""The shared vocabulary of columns. Reading it is public: a key is not asked for, nor looked at."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from scopekey.demo.columns import ColumnType
from scopekey.enforce.fastapi import public

router: APIRouter = APIRouter(prefix="/attributes", tags=["Attributes"])


class Attribute(BaseModel):
    """One kind of value that datasets of different origin have in common."""

    name: str = Field(examples=["country_code"])
    type: ColumnType = Field(examples=["string"])
    description: str = Field(examples=["ISO 3166-1 alpha-2, upper case."])


class Attributes(BaseModel):
    """The whole vocabulary."""

    items: list[Attribute]


VOCABULARY = (
    Attribute(name="amount", type="number", description="A sum of money, in the currency beside it."),
    Attribute(name="country_code", type="string", description="ISO 3166-1 alpha-2, upper case."),
    Attribute(name="currency_code", type="string", description="ISO 4217, three letters."),
    Attribute(name="email_sha256", type="string", description="SHA-256 of the trimmed, lower-case address, in hex."),
    Attribute(name="event_time", type="timestamp", description="When it happened, in UTC."),
    Attribute(name="language_tag", type="string", description="BCP 47."),
    Attribute(name="postal_code", type="string", description="As the country writes it."),
    Attribute(name="unique_identifier", type="string", description="Whatever names one person or thing in its source."),
)


@router.get("", dependencies=[public()])
def list_attributes() -> Attributes:
    """List the normalized attributes."""
    return Attributes(items=list(VOCABULARY))
