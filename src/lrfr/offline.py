"""Nothing phones home: what tells the libraries that we use to keep quiet and to stay off the network."""

import os

# Read at import by the libraries, so they have to be set before.
VARIABLES = {
    "DO_NOT_TRACK": "1",  # Evidently, Prefect and others
    "NO_ALBUMENTATIONS_UPDATE": "1",  # asks for its newest version at import otherwise
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
    "HF_HUB_OFFLINE": "1",  # timm's weights would come from there
}


def stay_offline() -> None:
    """Sets the variables that the user has not set."""
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value)
