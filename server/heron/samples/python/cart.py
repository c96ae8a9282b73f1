"""A shopping cart: lines of products, a discount, and a total in cents."""

from dataclasses import dataclass, field


@dataclass
class Line:
    product: str
    price_cents: int
    quantity: int = 1

    def total_cents(self) -> int:
        return self.price_cents * self.quantity


@dataclass
class Cart:
    lines: list[Line] = field(default_factory=list)
    discount_percent: int = 0

    def add(self, product: str, price_cents: int, quantity: int = 1) -> None:
        for line in self.lines:
            if line.product == product:
                line.quantity += quantity
                return
        self.lines.append(Line(product, price_cents, quantity))

    def subtotal_cents(self) -> int:
        return sum(line.total_cents() for line in self.lines)

    def total_cents(self) -> int:
        return self.subtotal_cents() * (100 - self.discount_percent) // 100

    def is_empty(self) -> bool:
        return len(self.lines) == 0
