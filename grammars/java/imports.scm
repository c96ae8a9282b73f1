(import_declaration [(scoped_identifier) (identifier)] @path .) @import
(import_declaration [(scoped_identifier) (identifier)] @module (asterisk) @name) @import
