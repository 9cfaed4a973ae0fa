# mypy: warn-unused-ignores=False
from typing import Any

ffi: Any
lib: Any

# Of numbers: element types are known to those who check types since 2025 only.
Floats = memoryview[Any]  # type: ignore[type-arg]
