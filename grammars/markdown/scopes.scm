(section) @definition
[(fenced_code_block) (list_item)] @block
(html_block) @comment
