(section) @definition
(html_block) @comment
