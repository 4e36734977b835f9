"""URLs to tell apart, by trick: what must be refused, with the word it is refused with, and what must pass.

Written for this project. `ANSWERS` is what the test's resolver says; any other name leads to a public address.
"""
# ruff: noqa: RUF001 (letters that look like others are what much of this is about)

from __future__ import annotations

from dataclasses import dataclass

PUBLIC_IPV4, PUBLIC_IPV6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

ANSWERS: dict[str, tuple[str, ...]] = {
    "nowhere.example.com": (),
    "inner.example.com": ("10.0.0.7",),
    "loop.example.com": ("127.0.0.1",),
    "loop6.example.com": ("::1",),
    "meta.example.com": ("169.254.169.254",),
    "meta6.example.com": ("fd00:ec2::254",),
    "mapped.example.com": ("::ffff:10.0.0.7",),
    "nat64.example.com": ("64:ff9b::a00:7",),
    "mixed.example.com": (PUBLIC_IPV4, "10.0.0.7"),
    "mixed-first.example.com": ("10.0.0.7", PUBLIC_IPV4),
    "mixed6.example.com": (PUBLIC_IPV4, "fe80::1"),
    "many.example.com": (*(f"93.184.215.{last}" for last in range(1, 60)), "192.168.1.1"),
    "zone.example.com": ("fe80::1%eth0",),
    "garbage.example.com": ("not an address",),
    "octal.example.com": ("0177.0.0.1",),
    "zero.example.com": ("0.0.0.0",),
    "broadcast.example.com": ("255.255.255.255",),
    "multicast.example.com": ("224.0.0.251",),
    "cgnat.example.com": ("100.64.0.1",),
    "azure.example.com": ("168.63.129.16",),
    "two.example.com": (PUBLIC_IPV4, PUBLIC_IPV6),
    "six.example.com": (PUBLIC_IPV6,),
}


@dataclass(frozen=True)
class Trick:
    """One way to get somewhere private, or to be read differently by two parsers.

    Attributes:
        why: what the trick is.
        reasons: words that the refusal may carry.
        urls: attempts.
    """

    why: str
    reasons: frozenset[str]
    urls: tuple[str, ...]


def _trick(why: str, reasons: str, *urls: str) -> Trick:
    return Trick(why, frozenset(reasons.split()), urls)


REFUSED = (
    _trick(
        "another scheme, or none", "scheme character",
        "http://example.com/", "HTTP://example.com/", "ftp://example.com/x", "file:///etc/passwd", "file://example.com/etc/passwd",
        "gopher://example.com:70/_GET", "dict://example.com:2628/d", "ldap://example.com/", "jar:https://example.com!/x", "data:text/plain,x",
        "javascript:alert(1)", "ws://example.com/", "wss://example.com/", "netdoc:///etc/passwd", "view-source:https://example.com/",
        "blob:https://example.com/x", "unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "ssh://git@example.com/",
        "git+https://example.com/", "https+http://example.com/", "tftp://example.com/x", "smb://example.com/x", "//example.com/", "///example.com/",
        "example.com", "example.com:443/", "/x", "?x", "#x", "", "https", "https:", "https:/", "https://", "https:///", "https:example.com/",
        "https:/example.com/", "https:///example.com/", "https:////example.com/", "https//example.com/", "://example.com/", ":https://example.com/",
        "1https://example.com/", "hxxps://example.com/", "httрs://example.com/", "\uff48ttps://example.com/", "httpſ://example.com/",
    ),
    _trick(
        "a character that parsers drop, trim or turn into another", "character",
        " https://example.com/", "https://example.com/ ", "https://example.com /", "https:// example.com/", "https://exam ple.com/",
        "\thttps://example.com/", "ht\ttps://example.com/", "https://exa\tmple.com/", "https://exa\nmple.com/", "https://exa\rmple.com/",
        "https://example.com/\r\nHost: 10.0.0.1", "https://example.com/\r\n\r\nGET / HTTP/1.1", "https://example.com\x00.evil.com/",
        "https://127.0.0.1\x00.example.com/", "https://example.com/\x00", "\x00https://example.com/", "https://example.com/\x1f", "https://example.com/\x7f",
        "https://example.com/\x85", "https://example.com/\xa0", "\xa0https://example.com/", "https://example.com/\x0b", "https://example.com/\x0c",
        "https://example.com\x0b/", "https://example.com/a b", "https://example.com/?a b", "https://example.com/#a b",
        "https://example.com/\u2028", "https://example.com/ü", "https://example.com/?q=ü", "https://example.com/\u200b", "https://example.com/\ufeff",
        "https://example.com/\U0001f600", "https://example.com/\u010d\u010aHost:x",  # its low bytes are CR LF
        "https://example.com/<script>", 'https://example.com/"', "https://example.com/`id`", "https://example.com/{x}", "https://example.com/a|b",
        "https://example.com/^", "https://example.com/#<x>",
    ),
    _trick(
        "a backslash, which some parsers read as a slash", "character",
        "https://example.com\\@10.0.0.1/", "https://10.0.0.1\\@example.com/", "https://example.com\\.evil.com/", "https:\\\\example.com\\",
        "https:/\\example.com/", "https:\\/example.com/", "https://example.com/\\..\\x", "https://127.0.0.1\\.example.com/", "https://127.0.0.1:443\\@example.com/",
        "https://\\example.com/", "https://example.com#\\@10.0.0.1/", "https://example.com?\\@10.0.0.1/", "\\\\example.com\\x",
    ),
    _trick(
        "a user name in front, to make another host look like the one", "userinfo character",
        "https://user@example.com/", "https://user:password@example.com/", "https://@example.com/", "https://:@example.com/", "https://:x@example.com/",
        "https://example.com@10.0.0.1/", "https://example.com:443@10.0.0.1/", "https://example.com%40@10.0.0.1/", "https://10.0.0.1@example.com/",
        "https://a@b@example.com/", "https://a:b@c:d@example.com/", "https://example.com@169.254.169.254:80/", "https://example.com&@10.0.0.1#@example.com/",
        "https://@@example.com/", "https://example.com@", "https://a@[::1]/", "https://[::1]@example.com/", "https://1.1.1.1 &@2.2.2.2# @3.3.3.3/",
        "https://%00@example.com/", "https://user%40example.com@evil.com/", "https://ü@example.com/",
    ),
    _trick(
        "percent-encoding in the host, which some decode", "host number",
        "https://%31%32%37.0.0.1/", "https://127%2e0%2e0%2e1/", "https://local%68ost/", "https://%6c%6f%63%61%6c%68%6f%73%74/", "https://example%2ecom/",
        "https://example.com%00.evil.com/", "https://example.com%2f@evil.com/".replace("@", ""), "https://example.com%5c/", "https://example.com%0d%0a/",
        "https://example.com%23.evil.com/", "https://example.com%3f/", "https://%65xample.com/", "https://example.c%6fm/", "https://%5B::1%5D/",
        "https://ex%C3%BCample.com/", "https://127.0.0.%31/", "https://127.0.0.1%2509/", "https://%/", "https://example.com%/", "https://%EF%BC%91.com/",
    ),
    _trick(
        "an address written as one number, in octal, in hex, short or long", "number host",
        "https://2130706433/", "https://0x7f000001/", "https://0X7F000001/", "https://017700000001/", "https://0177.0.0.1/", "https://0x7f.0.0.1/",
        "https://0x7f.0x0.0x0.0x1/", "https://127.1/", "https://127.0.1/", "https://127.0x1/", "https://127.0.0.01/", "https://127.0.0.001/",
        "https://0127.0.0.1/", "https://127.00.0.1/", "https://0/", "https://00/", "https://0x0/", "https://0x/", "https://1/", "https://4294967295/",
        "https://4294967296/", "https://4294967297/", "https://127.0.0.1.1/", "https://127.0.0.256/", "https://256.0.0.1/", "https://1.2.3/", "https://1.2/",
        "https://8.8.8.010/", "https://010.8.8.8/", "https://08.8.8.8/", "https://0x8.8.8.8/", "https://8.8.8/", "https://134744072/", "https://8.8.8.8.8/",
        "https://0xa9fea9fe/", "https://2852039166/", "https://0251.0376.0251.0376/", "https://169.254.43518/", "https://169.16689662/", "https://0251.254.169.254/",
        "https://0xa9.0xfe.0xa9.0xfe/", "https://425.510.425.510/", "https://7147006462/", "https://0x41414141a9fea9fe/", "https://999.999.999.999/",
        "https://q177.0.0.1/", "https://a.0.0.1/", "https://example.1/", "https://example.com.1/", "https://example.0x1/", "https://example.0x/", "https://foo.0x7f/",
        "https://127.0.0.-1/", "https://-127.0.0.1/", "https://127.0.0.1e0/", "https://1e3/", "https://127.0.0.0x1g/", "https://127.0.0.+1/", "https://0b1111111.0.0.1/",
        "https://127.0.0.1,example.com/", "https://127_0_0_1/", "https://0o177.0.0.1/", "https://127。0。0。1/", "https://127.0.0.1../",
    ),
    _trick(
        "digits and dots that Unicode maps to ASCII", "host number name",
        "https://①②⑦.⓪.⓪.①/", "https://１２７.０.０.１/", "https://𝟏𝟐𝟕.𝟎.𝟎.𝟏/", "https://127．0．0．1/", "https://127｡0｡0｡1/", "https://¹27.0.0.1/",
        "https://١٢٧.٠.٠.١/", "https://१२७.०.०.१/", "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "https://ｌｏｃａｌｈｏｓｔ/", "https://locаlhost/", "https://localhoſt/", "https://ℓocalhost/",
        "https://example。com/", "https://example．com/", "https://ｅxample.com/", "https://exam\u00adple.com/", "https://exam\u200bple.com/", "https://exam\u2060ple.com/",
        "https://example.com\u200b/", "https://K8s.example.com/".replace("K", "\u212a"), "https://exampl\u212f.com/", "https://example.ⓒⓞⓜ/", "https://meta\u00addata.google.internal/",
        "https://ﬁle.example.com/", "https://℀.example.com/", "https://℆.example.com/", "https://example.com／x/", "https://example.com＠evil.com/", "https://example.com：443/",
        "https://example.com？x/", "https://example.com＃x/", "https://a℀b.com/", "https://㏂.com/", "https://⑴.com/", "https://example\u2024com/", "https://exa\u202emple.com/",
        "https://\u200dexample.com/", "https://☃.example.com/", "https://\U0001f4a9.la/", "https://[：：1]/", "https://[٠::1]/", "https://مثال.إختبار\u200f/",
    ),
    _trick(
        "Punycode that is none, or hides ASCII", "host number",
        "https://xn--.com/", "https://xn--a.com/", "https://xn--localhost-.com/", "https://xn--example-.com/", "https://xn--0.com/", "https://xn--\u00fc.com/",
        "https://xn--n3h.net/", "https://xn---.com/", "https://xn--zzzzzzzzzzzz99999.com/", "https://xn--example.com/", "https://example.xn--com-/", "https://XN--A.com/",
    ),
    _trick(
        "a name for inside use", "name host",
        "https://localhost/", "https://LOCALHOST/", "https://LocalHost:443/", "https://a.localhost/", "https://localhost.localdomain/", "https://x.localdomain/",
        "https://localhost6.localdomain6/", "https://printer.local/", "https://a.b.c.local/", "https://db.internal/", "https://x.corp/", "https://router.home/",
        "https://nas.lan/", "https://router.home.arpa/", "https://home.arpa/", "https://mail.mail/", "https://wiki.intranet/", "https://a.private/", "https://x.onion/",
        "https://duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion/", "https://a.test/", "https://a.invalid/", "https://a.example/", "https://a.alt/",
        "https://kubernetes.default.svc/", "https://kubernetes.default.svc.cluster.local/", "https://api.default.svc/", "https://vault.service.consul/",
        "https://host.docker.internal/", "https://gateway.docker.internal/", "https://kubernetes.docker.internal/", "https://1.0.0.127.in-addr.arpa/",
        "https://ipv4only.arpa/", "https://resolver.arpa/", "https://x.ip6.arpa/", "https://a.i2p/", "https://a.eth/", "https://a.bit/",
    ),
    _trick(
        "a metadata service by name", "name host",
        "https://metadata.google.internal/computeMetadata/v1/", "https://METADATA.GOOGLE.INTERNAL/", "https://metadata.goog/", "https://x.metadata.goog/",
        "https://metadata/", "https://instance-data/", "https://instance-data.ec2.internal/latest/meta-data/", "https://ip-10-0-0-1.ec2.internal/",
        "https://ip-10-0-0-1.eu-west-1.compute.internal/", "https://vm.c.project.internal/", "https://vm.europe-west1-b.c.project.internal/",
        "https://metadata.tencentyun.com/", "https://metadata.packet.net/", "https://metadata.platformequinix.com/", "https://rancher-metadata/",
        "https://api.metadata.cloud.ibm.com/", "https://metadata.google.internal:443/",
    ),
    _trick(
        "a single label, which search domains complete", "host number name",
        "https://intranet/", "https://a/", "https://db/", "https://redis:443/", "https://kubernetes/", "https://wpad/", "https://com/", "https://EXAMPLE/", "https://xn--wgv71a119e/",
        "https://日本語/", "https://gateway/", "https://vault/",
    ),
    _trick(
        "a trailing, leading or doubled dot", "host number name",
        "https://example.com./", "https://localhost./", "https://127.0.0.1./", "https://metadata.google.internal./", "https://example.com../", "https://.example.com/",
        "https://..example.com/", "https://example..com/", "https://./", "https://../", "https://.../", "https://example./", "https://8.8.8.8./", "https://.8.8.8.8/",
        "https://.localhost/", "https://example.com.:443/",
    ),
    _trick(
        "a host that is no domain name", "host character",
        "https://exa_mple.com/", "https://_dmarc.example.com/", "https://-example.com/", "https://example-.com/", "https://example.-com/", "https://exam!ple.com/",
        "https://exam$ple.com/", "https://exam*ple.com/", "https://*.example.com/", "https://example.com,evil.com/", "https://example.com;evil.com/", "https://exam'ple.com/",
        "https://exam(ple).com/", "https://exam+ple.com/", "https://exam=ple.com/", "https://exam~ple.com/", "https://exam&ple.com/", "https://exa<mple.com/",
        "https://exa|mple.com/", "https://{example}.com/", "https://exa^mple.com/", 'https://exa"mple.com/', "https://exa`mple.com/", "https://example.c/",
        "https://" + "a" * 64 + ".com/", "https://" + "a." * 126 + "co/", "https://?x", "https://#x", "https://:443/", "https://?@example.com", "https://#@example.com",
        "https://$(id).example.com/", "https://${jndi:ldap://x}.example.com/", "https://example.com:443:443/", "https://example.com::443/", "https://::1/", "https://fe80::1/",
        "https://fc00::1:443/", "https://[example.com]/", "https://]/", "https://example.com]/", "https://example.com[/",
    ),
    _trick(
        "an IPv6 address that is not well-formed, or has a zone", "host port",
        "https://[]/", "https://[:]/", "https://[::1/", "https://::1]/", "https://[::1]]/", "https://[[::1]]/", "https://[::1]x/", "https://[::1].example.com/", "https://x[::1]/",
        "https://[fe80::1%eth0]/", "https://[fe80::1%25eth0]/", "https://[fe80::1%251]/", "https://[::1%0]/", "https://[2606:4700::1%25lo]/", "https://[v1.fe80::a]/", "https://[v6.::1]/",
        "https://[:::1]/", "https://[1::2::3]/", "https://[1:2:3:4:5:6:7]/", "https://[1:2:3:4:5:6:7:8:9]/", "https://[12345::1]/", "https://[::g]/", "https://[127.0.0.1]/",
        "https://[8.8.8.8]/", "https://[::ffff:127.1]/", "https://[::ffff:0177.0.0.1]/", "https://[::ffff:0x7f.0.0.1]/", "https://[::ffff:127.0.0.1.1]/", "https://[::256.0.0.1]/",
        "https://[2606:4700:4700::1111]443/", "https://[::1]:443]/", "https://[2606:4700:4700::1111/64]/", "https://[localhost]/", "https://[::1]example.com/", "https://[2606:4700:4700::1111]x443/",
    ),
    _trick(
        "an IPv4 address that is not public", "destination",
        "https://0.0.0.0/", "https://0.1.2.3/", "https://10.0.0.1/", "https://10.255.255.255/", "https://100.64.0.1/", "https://100.100.100.200/latest/meta-data/", "https://100.127.255.255/",
        "https://127.0.0.1/", "https://127.0.0.1:443/", "https://127.255.255.254/", "https://127.127.127.127/", "https://168.63.129.16/", "https://169.254.0.1/", "https://169.254.169.254/latest/meta-data/",
        "https://169.254.169.253/", "https://169.254.170.2/v2/credentials", "https://169.254.170.23/v1/credentials", "https://169.254.42.42/", "https://172.16.0.1/", "https://172.31.255.255/",
        "https://172.17.0.1/", "https://192.0.0.1/", "https://192.0.0.8/", "https://192.0.0.9/", "https://192.0.0.10/", "https://192.0.0.170/", "https://192.0.0.192/", "https://192.0.2.1/", "https://192.31.196.1/",
        "https://192.52.193.1/", "https://192.88.99.1/", "https://192.168.0.1/", "https://192.168.255.255/", "https://192.175.48.1/", "https://198.18.0.1/", "https://198.19.255.255/",
        "https://198.51.100.1/", "https://199.36.153.4/", "https://199.36.153.11/", "https://203.0.113.1/", "https://224.0.0.1/", "https://239.255.255.250/", "https://240.0.0.1/", "https://255.255.255.255/",
    ),
    _trick(
        "an IPv6 address that is not public", "destination",
        "https://[::]/", "https://[::1]/", "https://[0:0:0:0:0:0:0:1]/", "https://[0000:0000:0000:0000:0000:0000:0000:0001]/", "https://[::1]:443/", "https://[::2]/", "https://[100::1]/", "https://[100:0:0:1::1]/",
        "https://[2001:2::1]/", "https://[2001:4:112::1]/", "https://[2001:10::1]/", "https://[2001:20::1]/", "https://[2001:30::1]/", "https://[2001:db8::1]/", "https://[2001:1::1]/", "https://[2620:4f:8000::1]/",
        "https://[3ffe::1]/", "https://[3fff::1]/", "https://[5f00::1]/", "https://[fc00::1]/", "https://[fd00::1]/", "https://[fd00:ec2::254]/", "https://[fd00:ec2::23]/", "https://[fd20:ce::254]/",
        "https://[fd00:42::42]/", "https://[fe80::1]/", "https://[FE80::A9FE:A9FE]/", "https://[febf::1]/", "https://[fec0::1]/", "https://[ff02::1]/", "https://[ff0e::1]/", "https://[4000::1]/", "https://[8000::1]/",
        "https://[e000::1]/", "https://[1000::1]/", "https://[200::1]/", "https://[2600:2d00:2:1000::1]/", "https://[fe80::5efe:10.0.0.1]/", "https://[400::1]/",
    ),
    _trick(
        "a private IPv4 address inside an IPv6 one", "destination",
        "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::FFFF:A9FE:A9FE]/", "https://[0:0:0:0:0:ffff:10.0.0.1]/", "https://[::127.0.0.1]/", "https://[::7f00:1]/", "https://[::169.254.169.254]/",
        "https://[::ffff:0:127.0.0.1]/", "https://[::ffff:0:a9fe:a9fe]/", "https://[64:ff9b::127.0.0.1]/", "https://[64:ff9b::a9fe:a9fe]/", "https://[64:ff9b::10.0.0.1]/", "https://[64:ff9b::]/",
        "https://[64:ff9b:1::10.0.0.1]/", "https://[64:ff9b:1::8.8.8.8]/", "https://[64:ff9b:1:a9fe:a9:fe00::]/", "https://[2002:7f00:1::]/", "https://[2002:a9fe:a9fe::1]/", "https://[2002:a00:1::1]/", "https://[2002:808:808::1]/",
        "https://[2001:0:5ef5:79fd:0:0:5601:5601]/", "https://[2001:0:7f00:1::]/", "https://[2001:0:808:808:0:0:f7f7:f7f7]/", "https://[2606:4700::5efe:10.0.0.1]/", "https://[2606:4700::200:5efe:127.0.0.1]/",
        "https://[2606:4700:0:1:0:5efe:a9fe:a9fe]/", "https://[::ffff:8.8.8.8]/", "https://[::8.8.8.8]/", "https://[::ffff:0:8.8.8.8]/",
    ),
    _trick(
        "a name that leads inside", "destination",
        *(f"https://{name}/" for name in ANSWERS if name not in {"two.example.com", "six.example.com"}), "https://LOOP.example.com/", "https://loop.example.com:443/",
        "https://loop.example.com?x", "https://loop.example.com#x", "https://loop.example.com/#@example.com", "https://loop.example.com/?@example.com", "https://loop.example.com/@example.com",
    ),
    _trick(
        "a port where something else listens, or that is none", "port host",
        "https://example.com:80/", "https://example.com:22/", "https://example.com:25/", "https://example.com:6379/", "https://example.com:8080/", "https://example.com:8443/", "https://example.com:2375/",
        "https://example.com:9200/", "https://example.com:11211/", "https://example.com:5432/", "https://example.com:0/", "https://example.com:1/", "https://example.com:65535/", "https://example.com:65536/",
        "https://example.com:65979/", "https://example.com:4294967739/", "https://example.com:99999/", "https://example.com:0443/", "https://example.com:00443/", "https://example.com:+443/", "https://example.com:-443/",
        "https://example.com:443a/", "https://example.com:0x1bb/", "https://example.com:443.0/", "https://example.com:/", "https://example.com:?x", "https://example.com:４４３/", "https://example.com:٤٤٣/", "https://8.8.8.8:80/",
        "https://[2606:4700:4700::1111]:80/", "https://[2606:4700:4700::1111]:/", "https://example.com:4e2/", "https://example.com:4_43/", "https://example.com:https/", "https://example.com:443,80/",
    ),
    _trick(
        "longer than anyone's URL", "length host",
        "https://example.com/" + "a" * 2100, "https://" + "a" * 3000 + ".com/", "https://example.com/?" + "a=b&" * 600, "https://example.com/#" + "x" * 2100, "a" * 100_000,
    ),
)  # fmt: skip

PASSES = (
    "https://example.com", "https://example.com/", "https://example.com/hook", "https://example.com:443/hook", "HTTPS://EXAMPLE.COM/Hook", "https://Example.Com/?a=b&c=d", "https://example.com?x=1",
    "https://example.com/#part", "https://example.com/a/b/../c", "https://example.com/%2e%2e/%2f%00", "https://example.com/a%20b", "https://example.com/@user", "https://example.com/?u=a@b", "https://example.com/#@b",
    "https://example.com/x?u=https://10.0.0.1/", "https://example.com//double", "https://example.com/a;b=c,d", "https://example.com/(x)'!$*+~_.-", "https://example.com/?a[]=1&b[c]=2", "https://example.com/100%",
    "https://sub.domain.example.co.uk/x", "https://a-b.example.com/", "https://r3---sn-x.example.com/", "https://1.example.com/", "https://127.0.0.1.example.com/", "https://10-0-0-1.example.com/", "https://0x7f.example.com/",
    "https://1e100.net/", "https://localhost.example.com/", "https://internal.example.com/", "https://metadata.example.com/", "https://notlocalhost.com/", "https://mylocal.com/", "https://x.internals.com/",
    "https://a.local.example.com/", "https://svc.example.com/", "https://goog.example.com/", "https://hooks.slack.com/services/T0/B0/x", "https://api.github.com/", "https://s3.eu-west-1.amazonaws.com/bucket/key",
    "https://storage.googleapis.com/b/o", "https://account.blob.core.windows.net/c/b", "https://outlook.office.com/webhook/x@y/IncomingWebhook/z", "https://events.pagerduty.com/v2/enqueue", "https://app.terraform.io/api/v2/",
    "https://b\u00fccher.example.com/", "https://B\u00dcCHER.example.com/", "https://xn--bcher-kva.example.com/", "https://\u65e5\u672c\u8a9e.jp/", "https://xn--wgv71a119e.jp/", "https://fa\u00df.de/",
    "https://\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444/", "https://xn--e1afmkfd.xn--p1ai/", "https://XN--E1AFMKFD.xn--p1ai/",
    "https://1.1.1.1/", "https://8.8.8.8/", "https://8.8.8.8:443/", "https://9.255.255.255/", "https://11.0.0.0/", "https://100.63.255.255/", "https://100.128.0.0/", "https://126.255.255.255/", "https://128.0.0.1/",
    "https://168.63.129.15/", "https://168.63.129.17/", "https://169.253.255.255/", "https://169.255.0.0/", "https://172.15.255.255/", "https://172.32.0.0/", "https://191.255.255.255/", "https://192.0.1.0/", "https://192.0.3.0/",
    "https://192.167.255.255/", "https://192.169.0.0/", "https://198.17.255.255/", "https://198.20.0.0/", "https://199.36.153.3/", "https://199.36.153.12/", "https://203.0.112.255/", "https://203.0.114.0/", "https://223.255.255.255/", "https://1.0.0.0/",
    "https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]:443/x", "https://[2001:4860:4860::8888]/", "https://[2A00:1450:4001:82A::200E]/", "https://[2400:cb00::1]/", "https://[2001:200::1]/", "https://[2620:4f:8001::1]/",
    "https://[2003::1]/", "https://[3ffd::1]/", "https://[2600:2d00:2:1100::1]/", "https://[64:ff9b::8.8.8.8]/", "https://[64:ff9b::808:808]/", "https://[2606:4700::5efe:8.8.8.8]/",
    "https://two.example.com/", "https://six.example.com/",
    "https://" + "a" * 63 + ".com/", "https://" + "a." * 125 + "com/", "https://example.com/" + "a" * 2028,
)  # fmt: skip
