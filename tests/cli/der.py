"""DER taken apart into lists that a test changes and puts together again."""


def header(der, at):
    """Tag, where the content begins and where it ends."""
    length, begin = der[at + 1], at + 2
    if length >= 0x80:
        begin += length - 0x80
        length = int.from_bytes(der[at + 2:begin], "big")
    return der[at], begin, begin + length


def tree(der, begin=0, end=None):
    """[(tag, content or children)], with extension values opened where they are DER."""
    nodes, end = [], len(der) if end is None else end
    while begin < end:
        tag, inner, after = header(der, begin)
        nodes.append([tag, tree(der, inner, after) if tag & 0x20 else der[inner:after]])
        begin = after
    return nodes


def encode(nodes):
    out = b""
    for node in nodes:
        if isinstance(node, bytes):
            out += node
            continue
        tag, content = node
        body = encode(content) if isinstance(content, list) else content
        size = len(body)
        length = bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else bytes([0x82, size >> 8, size & 255])
        out += bytes([tag]) + length + body
    return out


def lists(nodes):
    yield nodes
    for node in nodes:
        if not isinstance(node, bytes) and isinstance(node[1], list):
            yield from lists(node[1])
