// Package shop sells.
package shop

import (
	"fmt"
	str "strings"
	. "math"
	_ "embed"
)

// Limit is the most.
const Limit = 10

const (
	Small, Large = 1, 2
	Huge         = 3
)

var open bool

// Basket is what a customer carries.
type Basket[T any] struct {
	Owner string
	items []T
}

type Item interface {
	Price(day int) float64
}

type Code = string
type Size int

// Put adds one.
func (b *Basket[T]) Put(item T) error {
	b.items = append(b.items, item)
	return fmt.Errorf("%s", str.ToUpper("x"))
}

func New(owner string) *Basket[int] {
	return &Basket[int]{Owner: owner}
}
