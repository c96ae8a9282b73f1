#include <stdio.h>
#include "shop/price.h"

#define LIMIT 10
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* What can be sold. */
struct item {
    char *code;
    int sizes[3];
    double (*price)(int day);
};

typedef struct basket {
    struct item *items;
} basket_t;

typedef int (*compare_fn)(const void *, const void *);

enum size { SMALL, LARGE = 2 };

static int open = 0;

int put(basket_t *basket, struct item item);

/**
 * Adds one.
 */
static struct item *find(basket_t *basket, const char *code)
{
    printf("%s", code);
    return basket->lookup(MAX(1, 2));
}
