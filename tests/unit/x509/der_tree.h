// A certificate as a tree that a test can change anywhere; encoding it again
// mends every length around the change. Independent of the reader under test.
#ifndef TESTS_UNIT_X509_DER_TREE_H_
#define TESTS_UNIT_X509_DER_TREE_H_

#include <initializer_list>
#include <vector>

#include "hsm/base/bytes.h"

namespace test {

struct DerTree {
  std::uint8_t tag = 0;
  base::Bytes content;            // of a primitive value
  std::vector<DerTree> children;  // of a constructed one
  base::Bytes raw;                // not empty: stands in place of the whole element

  // Parse takes good DER with short tags.
  static DerTree Parse(base::ByteView der);
  base::Bytes Encode() const;
  DerTree& At(std::initializer_list<std::size_t> path);
};

// Length octets in the fewest octets.
base::Bytes LengthOctets(std::size_t length);
base::Bytes Joined(std::initializer_list<base::Bytes> parts);

}  // namespace test

#endif  // TESTS_UNIT_X509_DER_TREE_H_
