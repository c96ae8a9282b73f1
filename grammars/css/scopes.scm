[(rule_set) (media_statement) (keyframes_statement)] @definition
[(block) (keyframe_block_list)] @block
(string_value) @string
(comment) @comment
