; captures: see python/signatures.scm
(function_item
  name: (_) @name parameters: (parameters) @parameters return_type: (_)? @returns body: (_) @body) @function
(function_signature_item
  name: (_) @name parameters: (parameters) @parameters return_type: (_)? @returns) @function
(struct_item name: (_) @name) @class
(enum_item name: (_) @name) @class
(trait_item name: (_) @name) @class

(parameters (parameter pattern: (_) @parameter.name type: (_) @parameter.type)) @parameter.list

(return_expression (_) @value)
(macro_invocation macro: (identifier) @panics (#any-of? @panics "panic" "unreachable" "assert" "assert_eq" "assert_ne"))
