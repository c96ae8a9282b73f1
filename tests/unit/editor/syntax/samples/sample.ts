import type { Price } from "./price";
import legacy = require("legacy");

/** What can be sold. */
export interface Item<T> {
  readonly code: string;
  price(day: number): Price;
}

export type Code = string | number;

export enum Size {
  Small,
  Large = 2,
}

export abstract class Shelf<T> implements Item<T> {
  private items: T[] = [];
  abstract find(code: Code): T;

  @logged
  get first(): T | undefined {
    return this.items.at(0);
  }
}

declare function greet(name: string): void;

namespace Shop {
  export const open = async (day: number): Promise<void> => {
    await greet<string>("x");
  };
}

export default function main(): void {}
