[(single_quote_scalar) (double_quote_scalar)] @string
(comment) @comment
