(using_directive !name [(identifier) (qualified_name)] @module) @import
(using_directive name: (identifier) @alias [(qualified_name) (generic_name)] @module) @import
