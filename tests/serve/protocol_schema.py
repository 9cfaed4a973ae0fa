"""What the Open Inference Protocol, version 2, and the extensions of Triton that the server speaks say of JSON, as far as a
test needs it: https://github.com/kserve/open-inference-protocol (specification/protocol/inference_rest.md) and
https://docs.nvidia.com/deeplearning/triton-inference-server (statistics, model repository, binary data, classification)."""
import math

COUNT = object()   # a whole number that is not negative
DIMENSION = object()
PARAMETERS = object()  # an object of strings, numbers and booleans

DATATYPES = ("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64",
             "BYTES", "BF16")

# A key that ends in ? may be left out; a list of one schema is an array of such.
ERROR = {"error": str}
SERVER = {"name": str, "version": str, "extensions": [str]}
TENSOR_METADATA = {"name": str, "datatype": DATATYPES, "shape": [DIMENSION]}
MODEL = {"name": str, "versions?": [str], "platform": str, "inputs": [TENSOR_METADATA], "outputs": [TENSOR_METADATA],
         "parameters?": dict}
TENSOR = {"name": str, "shape": [COUNT], "datatype": DATATYPES, "parameters?": PARAMETERS, "data?": list}
INFER_REQUEST = {"id?": str, "parameters?": PARAMETERS, "inputs": [TENSOR],
                 "outputs?": [{"name": str, "parameters?": PARAMETERS}]}
INFER_ANSWER = {"model_name": str, "model_version?": str, "id?": str, "parameters?": PARAMETERS, "outputs": [TENSOR]}
DURATION = {"count": COUNT, "ns": COUNT}
STATISTICS = {"model_stats": [{
    "name": str, "version?": str, "last_inference": COUNT, "inference_count": COUNT, "execution_count": COUNT,
    "inference_stats": {name: DURATION for name in
                        ("success", "fail", "queue", "compute_input", "compute_infer", "compute_output")},
    "batch_stats": [{"batch_size": COUNT, "compute_input": DURATION, "compute_infer": DURATION,
                     "compute_output": DURATION}]}]}
INDEX = [{"name": str, "version?": str, "state?": ("UNKNOWN", "READY", "UNAVAILABLE", "LOADING", "UNLOADING"), "reason?": str}]


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def check(value, schema, where="the answer"):
    """Raises AssertionError naming the place where `value` is not as `schema` says."""
    if isinstance(schema, dict):
        assert isinstance(value, dict), f"{where} must be an object, not {value!r}"
        known = {key.rstrip("?"): (key, kind) for key, kind in schema.items()}
        for key, kind in schema.items():
            assert key.endswith("?") or key in value, f"{where} needs {key}"
        for key, found in value.items():
            assert key in known, f"{where} has {key}, which the protocol does not know"
            check(found, known[key][1], f"{where}.{key}")
    elif isinstance(schema, list):
        assert isinstance(value, list), f"{where} must be an array, not {value!r}"
        for i, element in enumerate(value):
            check(element, schema[0], f"{where}[{i}]")
    elif isinstance(schema, tuple):
        assert value in schema, f"{where} is {value!r}, not one of {schema}"
    elif schema is COUNT:
        assert is_whole(value) and value >= 0, f"{where} must be a count, not {value!r}"
    elif schema is DIMENSION:
        assert is_whole(value) and value >= -1, f"{where} must be a dimension, not {value!r}"
    elif schema is PARAMETERS:
        assert isinstance(value, dict), f"{where} must be an object"
        for key, found in value.items():
            assert isinstance(found, (str, int, float, bool)), f"{where}.{key} must be a string, a number or a boolean"
    else:
        assert isinstance(value, schema), f"{where} must be {schema.__name__}, not {value!r}"


def check_tensors(answer):
    """Whether what an answer's outputs hold agrees with shape and datatype, of those whose data is JSON."""
    for output in answer["outputs"]:
        is_binary = "binary_data_size" in output.get("parameters", {})
        assert is_binary != ("data" in output), f"{output['name']} must have either data or binary_data_size"
        if is_binary:
            continue
        flat = output["data"]
        while flat and isinstance(flat[0], list):
            flat = [element for row in flat for element in row]
        assert len(flat) == math.prod(output["shape"]), f"{output['name']} has {len(flat)} elements, not {output['shape']}"
        kind = str if output["datatype"] == "BYTES" else (int, float)
        assert all(isinstance(element, kind) for element in flat), f"{output['name']} is not {output['datatype']}"
