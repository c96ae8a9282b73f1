[(script_element) (style_element)] @definition
(element) @block
[(attribute_value) (quoted_attribute_value)] @string
(comment) @comment
