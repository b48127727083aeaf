"""An upstream's invoice against the ledger: what is read, and what differs."""

import pytest

from meshapi_server.accounts.invoices import Charge, InvoiceInvalid, compare, read_invoice

CENT = 10_000_000


def charge(reference: str | None, amount: int = 5 * CENT, *, doubtful: bool = False) -> Charge:
    return Charge(
        task_id=f"task_{reference}", reference=reference, model="a/b", amount=amount, doubtful=doubtful
    )


def test_an_invoice_is_read_by_its_columns_and_lines_of_one_id_are_added() -> None:
    text = "when,request,usd\r\nmon,a,0.05\r\nmon,b,$1.10\r\ntue,a,0.000000001\r\ntue,,99\r\n"
    assert read_invoice(text, "request", "usd") == {"a": 5 * CENT + 1, "b": 110 * CENT}


def test_an_id_is_the_end_of_an_address() -> None:
    text = "id,amount\nhttps://engine.example/v1/videos/a%20b,1\noperations/c,1\nd,1\n"
    assert list(read_invoice(text, "id", "amount")) == ["a b", "c", "d"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("request,amount\na,1\n", "there is no column 'id'; the file has request, amount"),
        ("", "the file has none"),
        ("id,amount\na,1\nb,a lot\n", "line 3: 'a lot' is no amount"),
        ("id,amount\na,-1\n", "line 2: '-1' is no amount"),
        ("id,amount\na\n", "line 2: '' is no amount"),
        ("id,amount\na,1e999999\n", "line 2: '1e999999' is no amount"),
        ("x" * 200_000, "the file is no CSV"),
    ],
)
def test_what_is_no_invoice_is_refused_with_its_line_or_column(text: str, words: str) -> None:
    with pytest.raises(InvoiceInvalid) as refusal:
        read_invoice(text, "id", "amount")
    assert words in str(refusal.value)


def test_where_both_agree_there_is_no_difference() -> None:
    assert compare({"a": 5 * CENT}, [charge("a"), charge(None), charge("free", 0)]) == []


def test_each_kind_of_difference_is_told_once_in_the_order_of_ids() -> None:
    invoice = {"a": 6 * CENT, "b": 5 * CENT, "d": 1}
    charges = [charge("a"), charge("b", doubtful=True), charge("c"), charge("e", doubtful=True)]
    found = compare(invoice, charges)
    assert [(each.reference, each.problem, each.theirs, each.ours) for each in found] == [
        ("a", "another amount", 6 * CENT, 5 * CENT),
        ("b", "was in doubt", 5 * CENT, 5 * CENT),
        ("c", "not on the invoice", None, 5 * CENT),
        ("d", "not in the ledger", 1, None),
        ("e", "was in doubt", None, 5 * CENT),
    ]
    assert found[0].sentence() == ("another amount      a  invoice 0.06 USD, ledger 0.05 USD  task_a (a/b)")


def test_differences_within_the_tolerance_are_none() -> None:
    assert compare({"a": 5 * CENT + 9}, [charge("a")], 9) == []
    assert len(compare({"a": 5 * CENT + 10}, [charge("a")], 9)) == 1
