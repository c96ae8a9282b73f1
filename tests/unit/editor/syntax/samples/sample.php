<?php

namespace Shop\Front;

use Shop\Price;
use Shop\Stock\{Shelf, Rack as Frame};
use function Shop\find;

require_once "helpers.php";

const LIMIT = 10;

/** What can be sold. */
interface Item
{
    public function price(int $day): float;
}

trait Named {}

enum Size: string
{
    case Small = "s";
}

/**
 * What a customer carries.
 */
final class Basket extends Base implements Item
{
    public const MAX = 3;
    private array $items = [];

    public function __construct(private string $owner) {}

    public static function open(int $day): static
    {
        find($day);
        $this->put(new Shelf());
        return Price::of(1);
    }
}

function close_shop(): void {}
