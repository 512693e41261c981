"""Telling people: by a notification block of Prefect's, such as Slack's, or a web hook of one's own."""

from prefect import get_run_logger

SUBJECT = "lrfr"


def tell(block: str | None, message: str) -> None:
    """Sends a message by a block; where that cannot be done, the log says so and nothing else happens.

    Args:
        block: ``TYPE/NAME`` of a block that the server knows, such as ``slack-webhook/team``; None tells nobody.
        message: what happened.
    """
    if block is None:
        return
    from prefect.blocks.core import Block

    try:
        known = Block.load(block)
        with known.raise_on_failure():  # pyrefly: ignore
            known.notify(message, SUBJECT)  # pyrefly: ignore
    except Exception as error:  # a block's library raises what it likes
        what = str(error).strip().partition("\n")[0] or type(error).__name__
        get_run_logger().warning("nobody was told: the block '%s' failed: %s", block, what)
