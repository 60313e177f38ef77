// Roots and proofs of the eight leaves are the published test vectors of
// RFC 6962 implementations; the digests over all small trees come from a
// literal transcription of RFC 6962 section 2.1 in Python.
#include "ceremony/record/tree.h"

#include <doctest/doctest.h>

#include <string>

#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

std::vector<Hash> VectorLeaves() {
  std::vector<Hash> leaves;
  for (const char* hex :
       {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}) {
    leaves.push_back(Leaf(base::ByteView(*base::HexDecode(hex))));
  }
  return leaves;
}

std::vector<Hash> DecimalLeaves(std::size_t count) {
  std::vector<Hash> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(Leaf(std::to_string(i)));
  return leaves;
}

Hash RootOf(std::span<const Hash> leaves) {
  CompactRange range;
  for (const Hash& leaf : leaves) range.Append(leaf);
  return range.Root();
}

std::vector<std::string> Hexes(const Proof& proof) {
  std::vector<std::string> out;
  for (const Hash& hash : proof) out.push_back(base::HexEncode(hash));
  return out;
}

TEST_CASE("the roots of RFC 6962 trees of 0 to 8 leaves are the published ones") {
  const std::vector<Hash> leaves = VectorLeaves();
  const char* roots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                         "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  for (std::size_t n = 0; n <= 8; ++n) CHECK(base::HexEncode(RootOf(std::span(leaves).first(n))) == roots[n]);
}

TEST_CASE("inclusion and consistency proofs are the published ones") {
  const std::vector<Hash> leaves = VectorLeaves();
  const LeafSource source = LeavesOf(leaves);
  CHECK(Hexes(*InclusionProof(0, 8, source)) ==
        std::vector<std::string>{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"});
  CHECK(Hexes(*InclusionProof(5, 8, source)) ==
        std::vector<std::string>{"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                                 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"});
  CHECK(Hexes(*InclusionProof(2, 3, source)) ==
        std::vector<std::string>{"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"});
  CHECK(Hexes(*ConsistencyProof(6, 8, source)) ==
        std::vector<std::string>{"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                                 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"});
}

TEST_CASE("roots and proofs of all trees up to 40 leaves are those of the definition") {
  const std::vector<Hash> leaves = DecimalLeaves(40);
  const LeafSource source = LeavesOf(leaves);
  base::Sha256Stream roots, paths, proofs;
  for (std::uint64_t n = 0; n <= 40; ++n) {
    roots.Update(RootOf(std::span(leaves).first(n)));
    for (std::uint64_t m = 0; m < n; ++m) {
      const Proof path = *InclusionProof(m, n, source);
      for (const Hash& hash : path) paths.Update(hash);
      const Proof proof = *ConsistencyProof(m + 1, n, source);
      for (const Hash& hash : proof) proofs.Update(hash);
    }
  }
  CHECK(base::HexEncode(roots.Finish()) == "471e89fc61bbe5ed246eb2426f8b996b7957fc7edda396752a5eec33ad7f4e3e");
  CHECK(base::HexEncode(paths.Finish()) == "31b038d2dc3e0d2cf32321a12e0d23220ed148cea2756ea4a1cbe9a7d03eaeb6");
  CHECK(base::HexEncode(proofs.Finish()) == "ec0a5f464d90505ce82583f31d98955626299d0a7a1f7ea7f7bf15182040500d");
}

TEST_CASE("every inclusion proof verifies, and fails with any hash, index, size or length changed") {
  const std::vector<Hash> leaves = DecimalLeaves(17);
  for (std::uint64_t size = 1; size <= 17; ++size) {
    const Hash root = RootOf(std::span(leaves).first(size));
    for (std::uint64_t index = 0; index < size; ++index) {
      const Proof proof = *InclusionProof(index, size, LeavesOf(leaves));
      REQUIRE(VerifyInclusion(leaves[index], index, size, proof, root).ok());
      CHECK_FALSE(VerifyInclusion(leaves[index], size, size, proof, root).ok());
      for (std::uint64_t other = 0; other < size; ++other) {
        if (other != index) CHECK_FALSE(VerifyInclusion(leaves[index], other, size, proof, root).ok());
      }
      Proof longer = proof;
      longer.push_back(root);
      CHECK_FALSE(VerifyInclusion(leaves[index], index, size, longer, root).ok());
      for (std::size_t i = 0; i < proof.size(); ++i) {
        Proof changed = proof;
        changed[i][31] ^= 1;
        CHECK_FALSE(VerifyInclusion(leaves[index], index, size, changed, root).ok());
        CHECK_FALSE(VerifyInclusion(leaves[index], index, size, std::span(proof).first(i), root).ok());
      }
    }
  }
}

TEST_CASE("every consistency proof verifies, and fails with any hash, size, root or length changed") {
  const std::vector<Hash> leaves = DecimalLeaves(17);
  std::vector<Hash> roots;
  for (std::size_t n = 0; n <= 17; ++n) roots.push_back(RootOf(std::span(leaves).first(n)));
  for (std::uint64_t size = 0; size <= 17; ++size) {
    for (std::uint64_t old = 0; old <= size; ++old) {
      const Proof proof = *ConsistencyProof(old, size, LeavesOf(leaves));
      REQUIRE(VerifyConsistency(old, roots[old], size, roots[size], proof).ok());
      for (std::uint64_t other = 1; other <= size; ++other) {
        if (other != old) CHECK_FALSE(VerifyConsistency(other, roots[old], size, roots[size], proof).ok());
      }
      Proof longer = proof;
      longer.push_back(roots[size]);
      CHECK_FALSE(VerifyConsistency(old, roots[old], size, roots[size], longer).ok());
      for (std::size_t i = 0; i < proof.size(); ++i) {
        Proof changed = proof;
        changed[i][0] ^= 0x80;
        CHECK_FALSE(VerifyConsistency(old, roots[old], size, roots[size], changed).ok());
        CHECK_FALSE(VerifyConsistency(old, roots[old], size, roots[size], std::span(proof).first(i)).ok());
      }
      if (old > 0) CHECK_FALSE(VerifyConsistency(old, roots[old - 1], size, roots[size], proof).ok());
      if (size > 0 && old > 0 && old < size)
        CHECK_FALSE(VerifyConsistency(old, roots[old], size, roots[size - 1], proof).ok());
    }
  }
}

TEST_CASE("two leaves at once are the leaves of each, whatever their lengths") {
  std::string bytes(1500, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i * 7 + i / 3);
  const std::string_view all = bytes;
  // Every place of the padding in a block, with a second line that is as long, longer or shorter.
  for (std::size_t size = 0; size < 400; ++size) {
    for (const std::size_t other : {size, size + 1, size + 64, size / 3, (size * 37) % 700}) {
      const std::string_view first = all.substr(size % 5, size);
      const std::string_view second = all.substr(1500 - other, other);
      Hash one, two;
      TwoLeaves(first, second, one, two);
      CHECK_MESSAGE(one == Leaf(first), size << " beside " << other);
      CHECK_MESSAGE(two == Leaf(second), other << " beside " << size);
    }
  }
}

TEST_CASE("many leaves appended at once make the tree that they make one by one") {
  const std::vector<Hash> leaves = DecimalLeaves(300);
  for (std::size_t before = 0; before < 40; ++before) {
    CompactRange single;
    for (std::size_t i = 0; i < before; ++i) single.Append(leaves[i]);
    for (std::size_t count = 0; before + count <= 90; ++count) {
      CompactRange many;
      many.AppendAll(std::span(leaves).first(before));
      many.AppendAll(std::span(leaves).subspan(before, count));
      CHECK(many.size() == before + count);
      CHECK_MESSAGE(many.Root() == single.Root(), before << " and " << count);
      single.Append(leaves[before + count]);
    }
  }
  CompactRange all;
  all.AppendAll(leaves);
  CHECK(all.Root() == RootOf(leaves));
}

TEST_CASE("proofs are refused for leaves and sizes that a tree does not have") {
  const std::vector<Hash> leaves = DecimalLeaves(4);
  CHECK(InclusionProof(4, 4, LeavesOf(leaves)).error().code == base::ErrorCode::kInvalidInput);
  CHECK(InclusionProof(0, 5, LeavesOf(leaves)).error().code == base::ErrorCode::kInvalidInput);
  CHECK(ConsistencyProof(5, 4, LeavesOf(leaves)).error().code == base::ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace ceremony::record
