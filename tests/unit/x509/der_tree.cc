#include "tests/unit/x509/der_tree.h"

namespace test {
namespace {

DerTree ParseOne(base::ByteView& rest) {
  DerTree tree;
  tree.tag = rest[0];
  std::size_t length = rest[1];
  std::size_t header = 2;
  if (length > 0x80) {
    const std::size_t octets = length & 0x7fU;
    length = 0;
    for (std::size_t i = 0; i < octets; ++i) length = length << 8 | rest[header++];
  }
  base::ByteView content = rest.subspan(header, length);
  rest = rest.subspan(header + length);
  if ((tree.tag & 0x20U) == 0) {
    tree.content = base::ToBytes(content);
    return tree;
  }
  while (!content.empty()) tree.children.push_back(ParseOne(content));
  return tree;
}

}  // namespace

base::Bytes LengthOctets(std::size_t length) {
  if (length < 0x80) return {static_cast<std::uint8_t>(length)};
  base::Bytes octets;
  for (; length != 0; length >>= 8) octets.insert(octets.begin(), static_cast<std::uint8_t>(length));
  octets.insert(octets.begin(), static_cast<std::uint8_t>(0x80U | octets.size()));
  return octets;
}

base::Bytes Joined(std::initializer_list<base::Bytes> parts) {
  base::Bytes all;
  for (const base::Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

DerTree DerTree::Parse(base::ByteView der) { return ParseOne(der); }

base::Bytes DerTree::Encode() const {
  if (!raw.empty()) return raw;
  base::Bytes inside = content;
  for (const DerTree& child : children) {
    const base::Bytes encoded = child.Encode();
    inside.insert(inside.end(), encoded.begin(), encoded.end());
  }
  return Joined({{tag}, LengthOctets(inside.size()), inside});
}

DerTree& DerTree::At(std::initializer_list<std::size_t> path) {
  DerTree* tree = this;
  for (const std::size_t index : path) tree = &tree->children.at(index);
  return *tree;
}

}  // namespace test
