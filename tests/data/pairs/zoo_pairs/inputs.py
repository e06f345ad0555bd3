"""What the models of this package are fed."""

from dataclasses import dataclass

from zoo import Input


@dataclass(frozen=True, slots=True, kw_only=True)
class PairInput(Input):
    """Two grey pictures, float32 [batch, 1, height, width] in 0..1."""

    left: tuple[int, int]
    """Height and width of the first."""
    right: tuple[int, int]
    """Height and width of the second."""

    def describe(self) -> str:
        """24x24 and 16x32."""
        return " and ".join("x".join(map(str, size)) for size in (self.left, self.right))
