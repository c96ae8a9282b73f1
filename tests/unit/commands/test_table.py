from heron.commands.table import lay_out


def test_cells_stand_below_each_other() -> None:
    assert lay_out([("NAME", "SIZE"), ("a", "1"), ("long", "")]) == ["NAME  SIZE", "a     1", "long"]


def test_numbers_stand_to_the_right() -> None:
    assert lay_out([("name", "size"), ("a", "1")], num_left=1) == ["name  size", "a        1"]
