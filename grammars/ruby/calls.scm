(call method: [(identifier) (constant)] @name) @call
