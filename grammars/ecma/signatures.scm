(class_declaration name: (_) @name body: (_) @body) @class

(return_statement (_) @value)
(yield_expression) @yields
(throw_statement (new_expression constructor: (_) @raises))
