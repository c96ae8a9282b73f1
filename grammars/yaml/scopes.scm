[(block_mapping) (block_sequence) (flow_mapping) (flow_sequence)] @block
[(single_quote_scalar) (double_quote_scalar)] @string
(comment) @comment
