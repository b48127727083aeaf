"""Names for the arrays that cross module borders.

Colour images are ``(height, width, 3)``; masks and height fields are ``(height, width)``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
"""float32 in practice: linear light, heights, coordinates."""

Bytes8: TypeAlias = NDArray[np.uint8]
"""Display bytes (sRGB) or 8-bit masks."""

Integers: TypeAlias = NDArray[np.signedinteger[Any]]
"""Row and column indices."""
