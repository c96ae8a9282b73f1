; @function | @class with @name @parameters @returns @body; @parameter.list with @parameter.name .type .default;
; inside a body: @value of a return, @yields, @raises; @doc where the documentation is part of the body
(function_definition
  name: (identifier) @name parameters: (parameters) @parameters return_type: (type)? @returns body: (block) @body) @function
(class_definition name: (identifier) @name body: (block) @body) @class

(parameters [(identifier) (list_splat_pattern) (dictionary_splat_pattern)] @parameter.name) @parameter.list
(parameters (default_parameter name: (_) @parameter.name value: (_) @parameter.default)) @parameter.list
(parameters
  (typed_parameter . [(identifier) (list_splat_pattern) (dictionary_splat_pattern)] @parameter.name
    type: (type) @parameter.type)) @parameter.list
(parameters
  (typed_default_parameter
    name: (_) @parameter.name type: (type) @parameter.type value: (_) @parameter.default)) @parameter.list

(block . (expression_statement . (string) @doc .))
(return_statement (_) @value)
(yield) @yields
(raise_statement . (call function: (_) @raises))
(raise_statement . [(identifier) (attribute)] @raises)
