"""Change code as the user says: the selection, or the definition around the cursor, rewritten by an instruction."""

from heron.editor.features.actions.proposal import Proposal
from heron.editor.features.actions.rewrite import Task, enclosing_lines, rewrite
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.writer import Writer
from heron.errors import InvalidRequest

MAX_INSTRUCTION_CHARACTERS = 2_000


async def edit_by_instruction(spot: Spot, instruction: str, writer: Writer) -> Proposal:
    """The rewriting, as minimal edits. Raises InvalidRequest for no instruction or one that is too long."""
    said = instruction.strip()
    if not said or len(said) > MAX_INSTRUCTION_CHARACTERS:
        allowed = f"1 to {MAX_INSTRUCTION_CHARACTERS} characters"
        raise InvalidRequest(f"instruction must be a text of {allowed}, not {len(said)}.", param="instruction")
    return await rewrite(spot, Task("Edit by instruction", said, enclosing_lines(spot)), writer)
