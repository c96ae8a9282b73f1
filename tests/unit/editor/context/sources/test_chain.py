import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.context.sources.chain import Step, read_chain, read_chain_before
from heron.editor.context.sources.types import read_value_type

CHAINS = [
    ("x = a.b(c, d(e))?.f[0].│", "a b() f"),
    ("Vec::<u8>::new().na│", "Vec new()"),
    ('builder\n    .text(")")\n    .│', ""),
    ("builder\n    .text(1)\n    .│", "builder text()"),
    ("self.pool.get().await?.│", "self pool get()"),
    ("this.cart!.│", "this cart"),
    ("a + b.│", "b"),
    ("f(│", ""),
    ("(a or b).│", ""),
    (").│", ""),
]


@pytest.mark.parametrize(("text", "steps"), CHAINS)
def test_chains(text: str, steps: str) -> None:
    told = [step.name + "()" * step.is_called for step in read_chain_before(text.replace("│", ""))]
    assert told == steps.split()


@given(st.text(alphabet="ab.:?!()[]<> \n"))
def test_any_text_is_read(text: str) -> None:
    assert all(isinstance(step, Step) for step in read_chain(text))


VALUES = [
    ("pub fn key(&self) -> &Key<P>", "key", "&Key<P>"),
    ("fn map<T: Fn(u8) -> u8>(self, f: T) -> Mapped where T: Copy", "map", "Mapped"),
    ("func (b *Binder) Duration(name string) (*Binder, error)", "Duration", "(*Binder, error)"),
    ("def get(self, key: str = '') -> Price", "get", "Price"),
    ("pub weight: u8", "weight", "u8"),
    ("Coins int", "Coins", "int"),
    ("open(path: string): Promise<File>", "open", "Promise<File>"),
    ("def put(", "put", ""),
]


@pytest.mark.parametrize(("signature", "name", "told"), VALUES)
def test_what_a_signature_gives(signature: str, name: str, told: str) -> None:
    assert read_value_type(signature, name) == told
