(import_statement [(string_value (string_content) @module) (call_expression (arguments [(string_value (string_content) @module) (plain_value) @module]))]) @import
