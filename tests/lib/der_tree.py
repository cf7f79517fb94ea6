"""DER as a tree that can be bent: each element is [tag, content], content bytes or a list of elements."""


def length(n):
    if n < 128:
        return bytes([n])
    size = (n.bit_length() + 7) // 8
    return bytes([0x80 | size]) + n.to_bytes(size, "big")


def content(element):
    return element[1] if isinstance(element[1], bytes) else b"".join(encode(e) for e in element[1])


def encode(element):
    """An element whose content is None is its tag's bytes as they are: what is no DER is written so."""
    if element[1] is None:
        return element[0]
    inside = content(element)
    return bytes([element[0]]) + length(len(inside)) + inside


def read(data, at=0):
    """Tag and content of the element there, and where it ends."""
    tag, size, begin = data[at], data[at + 1], at + 2
    if size >= 0x80:
        begin += size & 0x7f
        size = int.from_bytes(data[at + 2:begin], "big")
    if begin + size > len(data):
        raise IndexError
    return tag, data[begin:begin + size], begin + size


def elements(inside):
    """The bytes of each element of what is constructed."""
    at = 0
    while at < len(inside):
        begin, at = at, read(inside, at)[2]
        yield inside[begin:at]


def decode(data):
    """One element; what is constructed is a list, and all else bytes."""
    tag, inside, end = read(data)
    if end != len(data):
        raise IndexError
    return [tag, [decode(element) for element in elements(inside)] if tag & 0x20 else inside]


def unwrap(element):
    """OCTET STRINGs that hold DER, as those of extensions do, become lists too; encode() writes them as they were."""
    if isinstance(element[1], list):
        for inner in element[1]:
            unwrap(inner)
    elif element[0] == 4 and element[1]:
        try:
            element[1] = [unwrap(decode(element[1]))]
        except IndexError:
            pass
    return element


def walk(element, parent=None):
    """Each element with the one that it stands in."""
    yield element, parent
    if isinstance(element[1], list):
        for inner in element[1]:
            yield from walk(inner, element)
