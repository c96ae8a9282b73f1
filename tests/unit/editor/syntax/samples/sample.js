import cart, { add, remove as drop } from "./cart";
import * as tax from "../tax";
import "./side-effect";
export { round } from "./round";
export * from "./all";
const fs = require("fs");
const { join } = require("path");

/** The most there may be. */
export const LIMIT = 10;

/**
 * A basket.
 * @param {string} owner
 */
export class Basket extends Array {
  #owner = "";
  size = 0;

  // Adds one.
  put(item) {
    return add(this, item);
  }

  static of(...items) {
    return new Basket(items.map((item) => drop(item)));
  }
}

function* walk(tree) {
  yield tax.of(tree);
}

// Rounds down.
const floor = (x) => Math.floor(x);
const shop = {
  open() {},
  close: function () {
    fs.close(join("a"));
  },
};
module.exports.close = function () {};
