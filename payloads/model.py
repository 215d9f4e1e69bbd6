"""The base of every payload model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Lenient(BaseModel):
    """Keeps unknown keys in `model_extra` (the mapper passes them on); its errors never show a value."""

    model_config = ConfigDict(
        extra="allow", frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True, protected_namespaces=()
    )
