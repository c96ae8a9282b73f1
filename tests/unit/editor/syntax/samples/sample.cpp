#include <vector>
#include "price.hpp"

namespace shop {

/// What a customer carries.
template <typename T>
class Basket : public Base {
public:
    Basket(std::string owner);
    ~Basket();
    /// Adds one.
    void put(const T& item) const { items_.push_back(item); }
    virtual int size() = 0;
    T operator[](int at);

private:
    std::vector<T> items_;
    int *count;
};

struct Point { int x, y; };
enum class Size { Small, Large };
using Code = std::string;
concept Sold = true;

template <typename T>
Basket<T>::Basket(std::string owner) : owner_(owner) {}

int Shelf::find(int code) {
    Point p(1, 2);
    return std::max<int>(lookup(code), new Point());
}

auto open() -> bool { return true; }

}  // namespace shop
