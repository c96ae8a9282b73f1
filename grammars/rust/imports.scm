(use_declaration argument: (_) @tree) @import
(extern_crate_declaration name: (identifier) @module) @import
