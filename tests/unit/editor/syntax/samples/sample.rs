use std::collections::{HashMap, hash_map::Entry as Slot};
use crate::price::*;
use super::{self, shelf::find};
extern crate serde;

/// The most.
pub const LIMIT: usize = 10;
static OPEN: bool = true;

/// What a customer carries.
#[derive(Debug)]
pub struct Basket<T> {
    pub owner: String,
    items: Vec<T>,
}

pub enum Size {
    Small,
    Large(u8),
}

pub trait Item {
    type Code;
    fn price(&self, day: u32) -> f64;
}

impl<T> Basket<T> {
    /// Adds one.
    pub fn put(&mut self, item: T) -> Result<(), String> {
        find::<T>(&self.items);
        self.items.push(item);
        Err(format!("{}", LIMIT))
    }
}

impl Item for Basket<u8> {
    type Code = u8;
    fn price(&self, day: u32) -> f64 {
        HashMap::new();
        0.0
    }
}

macro_rules! shop {
    () => {};
}

mod tests {
    type Pair = (u8, u8);
    union Bits { a: u8, b: i8 }
}
