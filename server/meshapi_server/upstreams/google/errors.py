"""Google's errors: ``{"error": {"code": 400, "message", "status"}}``. HTTP status and words decide."""

from meshapi_server.upstreams.refusals import Errors

ERRORS = Errors(
    words=(
        ("api key not valid", "auth"),
        ("api key expired", "auth"),
        ("billing account", "funds"),
        ("billing to be enabled", "funds"),
        ("prepayment credits", "funds"),
        ("responsible ai", "moderated_input"),
        ("usage guidelines", "moderated_input"),
        ("safety", "moderated_input"),
        ("prohibited", "moderated_input"),
        ("no longer available", "model_gone"),
    ),
    charged="no",  # what was refused at once; nobody says what a failed video costs
)
