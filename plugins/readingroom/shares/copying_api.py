"""The route by which a link's maker has a copy made that failed."""

from __future__ import annotations

from pydantic import Field

from readingroom.routing import Area, caller, identity
from readingroom.shares.api import CREATE, Snake
from readingroom.shares.copying import Copying
from readingroom.shares.links import Links


class CopyWish(Snake):
    """How."""

    accept_burned_in: bool = Field(False, description="What is burned into the pictures names nobody")


def routes(links: Links, copying: Copying) -> Area:
    """The area of copies."""
    area = Area("share_copies", "Sharing")

    @area.post("/api/shares/<share_id>/copy", capability=CREATE, body=CopyWish, status=202, errors=(404, 409))
    def copy_again(share_id: str, body: CopyWish) -> None:
        """Have the de-identified copy of a link made after it failed; its progress stands with the link."""
        copying.again(links.theirs(share_id, identity()), body.accept_burned_in, caller())

    return area
