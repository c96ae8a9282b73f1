package shop;

import java.util.List;
import java.util.function.*;
import static java.lang.Math.max;

/** What a customer carries. */
@Deprecated
public class Basket<T> extends Base implements Item {
    private static final int LIMIT = 10;
    String owner, name;

    // Makes one.
    public Basket(String owner) {
        this.owner = owner;
    }

    /**
     * Adds one.
     * @param item what
     */
    @Override
    public <R> List<T> put(T item) throws Exception {
        new Basket<T>(item.name());
        return helper.add(max(1, 2));
    }

    enum Size { SMALL, LARGE }

    interface Item {
        double price(int day);
    }

    record Pair(int a, int b) {}

    @interface Logged {}
}
