"""Transport URLs and nova.conf files are read as oslo.messaging reads them, and never repeated."""

import ssl
from pathlib import Path

import pytest

from rpcscope.errors import UsageError
from rpcscope_collectors.transport import Broker, Tls, from_config_file, from_transport_url


def test_a_plain_url_is_one_host_one_account_one_vhost() -> None:
    assert from_transport_url("rabbit://nova:s3cret@ctl1:5673/cell1") == Broker(
        hosts=(("ctl1", 5673),), username="nova", password="s3cret", vhost="cell1"
    )


def test_all_hosts_of_a_cluster_are_kept_in_order() -> None:
    broker = from_transport_url("rabbit://nova:s3cret@ctl1:5673,nova:s3cret@ctl2,nova:s3cret@[fd00::3]:5674/")
    assert broker.hosts == (("ctl1", 5673), ("ctl2", 5672), ("fd00::3", 5674))


@pytest.mark.parametrize("scheme", ["rabbit", "kombu", "kombu+rabbit", "rpcscope+rabbit", "rpcscope+kombu"])
def test_each_scheme_that_means_rabbitmq_is_understood(scheme: str) -> None:
    assert from_transport_url(f"{scheme}://nova:s3cret@ctl1/").hosts == (("ctl1", 5672),)


@pytest.mark.parametrize(
    ("path", "vhost"), [("", "/"), ("/", "/"), ("//", "/"), ("/%2F", "/"), ("/cell1", "cell1"), ("/a%2Fb", "a/b")]
)
def test_an_empty_vhost_is_the_default_one(path: str, vhost: str) -> None:
    assert from_transport_url(f"rabbit://nova:s3cret@ctl1{path}").vhost == vhost


def test_user_and_password_are_unescaped() -> None:
    broker = from_transport_url("rabbit://no%40va:a%2Fb%23c%3Ad%25@ctl1/")
    assert (broker.username, broker.password) == ("no@va", "a/b#c:d%")


def test_a_url_without_account_means_guest() -> None:
    broker = from_transport_url("rabbit://ctl1/")
    assert (broker.username, broker.password) == ("guest", "guest")


def test_tls_options_come_from_the_query() -> None:
    url = "rabbit://nova:s3cret@ctl1/?ssl=1&ssl_ca_file=/ca.pem&ssl_cert_file=/me.pem&ssl_key_file=/me.key"
    assert from_transport_url(url).tls == Tls(ca_file="/ca.pem", cert_file="/me.pem", key_file="/me.key")


def test_there_is_no_tls_unless_it_is_asked_for() -> None:
    assert from_transport_url("rabbit://nova:s3cret@ctl1/?ssl_ca_file=/ca.pem&ssl=false").tls is None


def test_without_a_ca_the_certificate_is_not_verified_as_in_oslo_messaging() -> None:
    context = Tls().context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_a_missing_ca_file_gets_a_sentence() -> None:
    with pytest.raises(UsageError, match=r"check ssl_ca_file.*No such file"):
        Tls(ca_file="/does/not/exist.pem").context()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "is empty"),
        ("PS7q", "can not be read"),
        ("rabbit://nova:PS7q#x@ctl1/", "can not be read"),
        ("rabbit://nova:PS7q@ctl1:PS7q/", "can not be read"),
        ("rabbit://nova:PS7q@[ctl1/", "can not be read"),
        ("rabbit://nova:PS7q@/", "names no host"),
        ("rabbit:///", "names no host"),
        ("amqp://nova:PS7q@ctl1/", "use rabbit://"),
        ("rabbit://nova:PS7q@ctl1,nova:other@ctl2/", "give one account for all"),
        ("rabbit://nova:PS7q@ctl1/?ssl=PS7q", "true or false"),
    ],
)
def test_a_bad_url_gets_a_sentence_without_the_password(url: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        from_transport_url(url)
    assert "PS7q" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_password_shows_neither_in_repr_nor_in_str() -> None:
    broker = from_transport_url("rabbit://nova:PS7q@ctl1:5673/cell1")
    assert "PS7q" not in repr(broker)
    assert str(broker) == "ctl1:5673 vhost cell1"


def test_a_nova_conf_gives_the_url_and_the_tls_options(tmp_path: Path) -> None:
    path = tmp_path / "nova.conf"
    path.write_text(
        "[DEFAULT]\nmy_ip = 10.0.0.1\ntransport_url = rabbit://nova:a$$b@ctl1:5673/cell1\nunknown = 1\n"
        "[oslo_messaging_rabbit]\nssl = true\nssl_ca_file = /ca.pem\nheartbeat_rate = 3\n"
    )
    assert from_config_file(path) == Broker(
        hosts=(("ctl1", 5673),), username="nova", password="a$b", vhost="cell1", tls=Tls(ca_file="/ca.pem")
    )


def test_options_in_the_url_of_a_nova_conf_win(tmp_path: Path) -> None:
    path = tmp_path / "nova.conf"
    path.write_text("[DEFAULT]\ntransport_url = rabbit://ctl1/?ssl=0\n[oslo_messaging_rabbit]\nssl = true\n")
    assert from_config_file(path).tls is None


def test_names_of_older_releases_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "nova.conf"
    path.write_text(
        "[DEFAULT]\ntransport_url = rabbit://ctl1/\n"
        "[oslo_messaging_rabbit]\nrabbit_use_ssl = true\nkombu_ssl_ca_certs = /ca.pem\n"
    )
    assert from_config_file(path).tls == Tls(ca_file="/ca.pem")


def test_the_environment_does_not_change_what_a_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_DEFAULT__TRANSPORT_URL", "rabbit://elsewhere/")
    path = tmp_path / "nova.conf"
    path.write_text("[DEFAULT]\ntransport_url = rabbit://ctl1/\n")
    assert from_config_file(path).hosts == (("ctl1", 5672),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[DEFAULT]\n", "names no host"),
        ("[DEFAULT]\ntransport_url = rabbit://nova:PS7q$x@ctl1/\n", "oslo.config can read"),
        ("PS7q without a section\n", "oslo.config can read"),
        ("[DEFAULT]\ntransport_url = rabbit://nova:PS7q@ctl1:x/\n", "can not be read"),
        ("[DEFAULT]\ntransport_url = rabbit://ctl1/\n[oslo_messaging_rabbit]\nssl = PS7q\n", "true or false"),
        ("\0\udc80PS7q", "oslo.config can read"),
    ],
)
def test_a_bad_nova_conf_gets_a_sentence_without_the_password(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "nova.conf"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=sentence) as caught:
        from_config_file(path)
    assert "PS7q" not in str(caught.value)


def test_a_missing_nova_conf_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        from_config_file(tmp_path / "nova.conf")
