"""A thin PredictionService over an exported SavedModel, which speaks the gRPC of TF Serving."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import tensorflow as tf
import tensorflow_text  # noqa: F401
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

__all__ = ["serving"]


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Serves the newest version of a model, as TF Serving does.

    Args:
        name: The model's.
        base: The folder of its versions.
    """

    def __init__(self, name: str, base: Path) -> None:
        self.name = name
        self.version = max(int(path.name) for path in base.iterdir())
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            self.signatures = tf.compat.v1.saved_model.loader.load(
                self.session, ["serve"], str(base / str(self.version))
            ).signature_def

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Runs a signature on the tensors of a request."""
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else self.version
        if spec.name != self.name or version != self.version:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no model {spec.name} {version}")
        signature = self.signatures.get(spec.signature_name or "serving_default")
        if signature is None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"no {spec.signature_name}")
        if set(request.inputs) != set(signature.inputs):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"inputs {sorted(request.inputs)}")
        wanted = list(request.output_filter) or list(signature.outputs)
        answer = self.session.run(
            {name: signature.outputs[name].name for name in wanted},
            {
                signature.inputs[name].name: tf.make_ndarray(tensor)
                for name, tensor in request.inputs.items()
            },
        )
        response = predict_pb2.PredictResponse()
        for name, value in answer.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response


@contextlib.contextmanager
def serving(name: str, base: Path) -> Iterator[Any]:
    """A stub that speaks to a service on loopback while the context is open."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    service = PredictionService(name, base)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield prediction_service_pb2_grpc.PredictionServiceStub(channel)
    finally:
        server.stop(grace=None).wait()
        service.session.close()
