// Package cache keeps the values that were used last.
package cache

import "container/list"

type entry struct {
	key   string
	value string
}

// Cache holds at most capacity entries and drops the one unused for longest.
type Cache struct {
	capacity int
	order    *list.List
	entries  map[string]*list.Element
}

// New returns an empty cache.
func New(capacity int) *Cache {
	return &Cache{
		capacity: capacity,
		order:    list.New(),
		entries:  make(map[string]*list.Element),
	}
}

// Get returns the value stored for key, and whether there is one.
func (c *Cache) Get(key string) (string, bool) {
	element, found := c.entries[key]
	if !found {
		return "", false
	}
	c.order.MoveToFront(element)
	return element.Value.(*entry).value, true
}

// Put stores a value and drops the oldest entry if the cache is full.
func (c *Cache) Put(key, value string) {
	if element, found := c.entries[key]; found {
		element.Value.(*entry).value = value
		c.order.MoveToFront(element)
		return
	}
	if c.order.Len() >= c.capacity {
		oldest := c.order.Back()
		c.order.Remove(oldest)
		delete(c.entries, oldest.Value.(*entry).key)
	}
	c.entries[key] = c.order.PushFront(&entry{key, value})
}
