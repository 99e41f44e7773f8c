"""The description of the server in OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

__all__ = ["document"]

Json = dict[str, Any]

_ABOUT = """Answers texts with models that textrnn trained.

`/v1/...` is the REST interface of TensorFlow Serving, `/v2/...` the Open Inference Protocol.
A WebSocket at `/v1/models/{name}/stream` answers a text while it is written; its messages are in
docs/serving.md. If the server wants API keys, send one as `Authorization: Bearer KEY` or
`X-API-Key: KEY`."""

_FAILURES = {
    "400": "The request is not understood.",
    "401": "There is no API key, or an unknown one.",
    "404": "The model or the version is not served.",
    "405": "The path has other methods.",
    "408": "The body does not arrive in time.",
    "413": "The body, the number of texts or a text is too large.",
    "415": "The body is compressed.",
    "429": "Too many texts or requests are waiting; `Retry-After` has the seconds to wait.",
    "503": "The server stops.",
    "504": "The answer takes too long.",
}


_NAME = {"type": "string", "pattern": "^[A-Za-z0-9_.-]+$"}


def _object(properties: Json, *required: str, **further: Any) -> Json:
    return {"type": "object", "properties": properties, "required": list(required), **further}


def _list(items: Json, **further: Any) -> Json:
    return {"type": "array", "items": items, **further}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_STRINGS, _NUMBERS = _list({"type": "string"}), _list({"type": "number"})

_TEXT: Json = {
    "description": "A text: a string, or its UTF-8 in base64.",
    "oneOf": [
        {"type": "string"},
        _object(
            {"b64": {"type": "string", "pattern": "^([A-Za-z0-9+/]{4})*$"}},
            "b64",
            additionalProperties=False,
        ),
    ],
}

_NAMED_TEXT = _object({"text": _ref("Text")}, "text", additionalProperties=False)

_SIGNATURE = {"signature_name": {"type": "string", "enum": ["serving_default"]}}

_PREDICT: Json = {
    "oneOf": [
        _object(
            {"instances": _list({"oneOf": [_ref("Text"), _NAMED_TEXT]}, minItems=1), **_SIGNATURE},
            "instances",
        ),
        _object(
            {
                "inputs": {
                    "oneOf": [
                        _list(_ref("Text")),
                        _object({"text": _list(_ref("Text"))}, "text", additionalProperties=False),
                    ]
                },
                **_SIGNATURE,
            },
            "inputs",
        ),
    ],
    "examples": [{"instances": ["The striker scored twice."]}],
}

_ROW = _object(
    {
        "label": {"type": "string", "description": "Empty if the answer is withheld."},
        "score": {"type": "number"},
        "labels": _STRINGS,
        "scores": _NUMBERS,
        "decided": _list({"type": "boolean"}),
    },
    *("label", "score", "labels", "scores", "decided"),
)

_COLUMNS = _object(
    {
        "label": _STRINGS,
        "score": _NUMBERS,
        "labels": _list(_STRINGS),
        "scores": _list(_NUMBERS),
        "decided": _list(_list({"type": "boolean"})),
    },
    *("label", "score", "labels", "scores", "decided"),
)

_INFER = _object(
    {
        "id": {"type": "string"},
        "inputs": _list(
            _object(
                {
                    "name": {"const": "text"},
                    "datatype": {"const": "BYTES"},
                    "shape": _list({"type": "integer", "minimum": 0}),
                    "data": _STRINGS,
                    "parameters": {"type": "object"},
                },
                *("name", "datatype", "shape"),
            ),
            minItems=1,
            maxItems=1,
        ),
        "outputs": _list(
            _object(
                {
                    "name": {"enum": ["label", "score", "labels", "scores", "decided"]},
                    "parameters": {"type": "object"},
                },
                "name",
            ),
            type=["array", "null"],
        ),
        "parameters": {"type": "object"},
    },
    "inputs",
    examples=[
        {
            "inputs": [
                {
                    "name": "text",
                    "shape": [1],
                    "datatype": "BYTES",
                    "data": ["The striker scored twice."],
                }
            ],
            "outputs": [{"name": "label"}, {"name": "score"}],
        }
    ],
)

_TENSOR = _object(
    {
        "name": {"type": "string"},
        "datatype": {"type": "string"},
        "shape": _list({"type": "integer"}),
        "data": {"type": "array"},
    },
    *("name", "datatype", "shape"),
)

_EXPLANATION = _object(
    {
        "label": {"type": "string", "description": "The label whose logit the scores add up to."},
        "words": _list(
            _object(
                {
                    "text": {"type": "string"},
                    "start": {
                        "type": "integer",
                        "description": "Place of the first character, in Unicode characters.",
                    },
                    "end": {"type": "integer"},
                    "score": {"type": "number"},
                },
                *("text", "score"),
            )
        ),
    },
    *("label", "words"),
    description="As textrnn explain --json prints it.",
)

_LIKELIHOOD = _object(
    {
        "log_likelihood": {"type": "number", "description": "ln p of the text, in nats."},
        "tokens": {"type": "integer"},
        "bits_per_token": {"type": "number", "description": "The end counts as a token."},
        "perplexity": {"type": "number"},
        "bits": {"type": "number", "description": "-log2 p of the text."},
        "bits_per_word": {"type": ["number", "null"]},
        "unusual": {
            "type": ["boolean", "null"],
            "description": "Whether 99 of 100 held-out texts have fewer bits per token.",
        },
        "words": _list(
            _object(
                {
                    "word": {"type": "string"},
                    "start": {"type": "integer"},
                    "end": {"type": "integer"},
                    "bits": {"type": "number"},
                },
                *("word", "start", "end", "bits"),
            )
        ),
        "end_bits": {"type": "number", "description": "The bits of the end of the text."},
    },
    *("log_likelihood", "bits_per_token", "bits", "unusual", "words", "end_bits"),
    description="How probable a text is by the language model beside the classifier.",
)

_EXAMINATION = _object(
    {
        "label": {"type": "string"},
        "score": {"type": "number"},
        "labels": _STRINGS,
        "scores": {"type": "object"},
        "abstained": {"type": "boolean"},
        "explained": {"type": "string", "description": "The label that the words are about."},
        "words": _list(
            _object(
                {
                    "word": {"type": "string"},
                    "start": {"type": "integer"},
                    "end": {"type": "integer"},
                    "contribution": {"type": ["number", "null"]},
                    "without": {"type": "number"},
                    "after": {"type": "number"},
                    "remembered": {"type": "number"},
                },
                *("word", "contribution", "without", "after", "remembered"),
            )
        ),
        "deletions": {
            "type": ["object", "null"],
            "description": "A few words without which the answer is another one.",
        },
        "cut": {"type": "boolean"},
        "likelihood": {"oneOf": [_ref("Likelihood"), {"type": "null"}]},
    },
    *("label", "scores", "explained", "words", "deletions"),
    description="The first words of a text, at most 128, each with what it does to the answer.",
)

_INSTANCES = _object(
    {"instances": _list({"oneOf": [_ref("Text"), _NAMED_TEXT]}, minItems=1)},
    "instances",
    examples=[{"instances": ["The striker scored twice."]}],
)

_SCHEMAS = {
    "Text": _TEXT,
    "Error": _object({"error": {"type": "string"}}, "error"),
    "PredictRequest": _PREDICT,
    "PredictResponse": {
        "oneOf": [
            _object({"predictions": _list(_ref("Row"))}, "predictions"),
            _object({"outputs": _COLUMNS}, "outputs"),
        ]
    },
    "Row": _ROW,
    "ExplainRequest": _INSTANCES,
    "ExplainResponse": _object({"explanations": _list(_EXPLANATION)}, "explanations"),
    "ExamineRequest": _object(
        {"text": _ref("Text"), "label": {"type": ["string", "null"]}},
        "text",
        additionalProperties=False,
        examples=[{"text": "The striker scored twice."}],
    ),
    "ExamineResponse": _EXAMINATION,
    "Likelihood": _LIKELIHOOD,
    "LikelihoodRequest": _INSTANCES,
    "LikelihoodResponse": _object({"likelihoods": _list(_ref("Likelihood"))}, "likelihoods"),
    "InferRequest": _INFER,
    "InferResponse": _object(
        {
            "id": {"type": "string"},
            "model_name": {"type": "string"},
            "model_version": {"type": "string"},
            "outputs": _list(_TENSOR),
        },
        *("model_name", "model_version", "outputs"),
    ),
}


def document() -> Json:
    """Returns the description."""
    paths: Json = {
        "/v1/models": {"get": _get("models", "Lists the models.")},
        "/v2": {"get": _get("server_metadata", "Describes the server.")},
        "/v2/health/live": {"get": _get("live", "Tells that the server runs.")},
        "/v2/health/ready": {
            "get": _get("ready", "Tells whether the server is ready: 200 or 503.")
        },
        "/healthz": {"get": _get("healthz", "Tells that the server runs.")},
        "/readyz": {"get": _get("readyz", "Tells whether the server is ready: 200 or 503.")},
        "/metrics": {"get": _get("metrics", "Metrics in Prometheus' format.", media="text/plain")},
    }
    for versioned in (False, True):
        for path, (method, operation) in _model_operations(versioned=versioned).items():
            paths[path] = {method: operation, "parameters": _parameters(versioned)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "textrnn serve", "version": "1", "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
        "security": [{}, {"bearer": []}, {"header": []}],
    }


def _model_operations(*, versioned: bool) -> dict[str, tuple[str, Json]]:
    """Maps the paths of a model, or of a version, to their method and description."""
    version = "/versions/{version}" if versioned else ""
    suffix = "_version" if versioned else ""
    v1, v2 = f"/v1/models/{{name}}{version}", f"/v2/models/{{name}}{version}"
    get = {
        v1: ("status", "Tells which versions are served."),
        f"{v1}/metadata": ("metadata", "Describes the inputs and outputs."),
        v2: ("model_metadata", "Describes the inputs and outputs."),
        f"{v2}/ready": ("model_ready", "Tells whether the model is ready."),
    }
    post = {
        f"{v1}:predict": ("predict", "Answers texts, by rows or by columns.", "Predict"),
        f"{v1}:explain": ("explain", "Shows what each word did for the answer.", "Explain"),
        f"{v1}:examine": ("examine", "Shows what would change the answer to a text.", "Examine"),
        f"{v1}:likelihood": ("likelihood", "Tells how probable texts are.", "Likelihood"),
        f"{v2}/infer": ("infer", "Answers a tensor of texts.", "Infer"),
    }
    operations: dict[str, tuple[str, Json]] = {}
    for path, (name, summary) in get.items():
        operations[path] = ("get", _get(name + suffix, summary))
    for path, (name, summary, schema) in post.items():
        operations[path] = ("post", _post(name + suffix, summary, schema=schema))
    return operations


def _parameters(versioned: bool) -> list[Json]:
    name = {"name": "name", "in": "path", "required": True, "schema": _NAME}
    version = {
        "name": "version",
        "in": "path",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
    return [name, version] if versioned else [name]


def _get(operation: str, summary: str, *, media: str = "application/json") -> Json:
    content: Json = {media: {"schema": {"type": "object" if "json" in media else "string"}}}
    responses = {"200": {"description": "The answer.", "content": content}}
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {**responses, **_failures("401", "404", "405", "429", "503")},
    }


def _post(operation: str, summary: str, *, schema: str) -> Json:
    request, response = (
        {"application/json": {"schema": _ref(f"{schema}{kind}")}}
        for kind in ("Request", "Response")
    )
    return {
        "operationId": operation,
        "summary": summary,
        "requestBody": {"required": True, "content": request},
        "responses": {
            "200": {"description": "The answers.", "content": response},
            **_failures(*_FAILURES),
        },
    }


def _failures(*statuses: str) -> Json:
    content = {"application/json": {"schema": _ref("Error")}}
    return {status: {"description": _FAILURES[status], "content": content} for status in statuses}
