// Files that hold certificates and CRLs, cut into their items: DER, DER one
// after another, PEM blocks with text between, and any mixture. Reading is in
// chunks; memory is that of the largest item, whatever the file's size.
//
// Bytes that belong to no item are reported: as a problem item, or at the end of
// the item before.
//
#ifndef CEREMONY_X509_BUNDLE_H_
#define CEREMONY_X509_BUNDLE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ceremony/x509/finding.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

struct BundleItem {
  enum class Form : std::uint8_t {
    kDer,      // `raw` is the encoding
    kPem,      // `raw` is a whole CERTIFICATE or X509 CRL block
    kProblem,  // nothing to lint; `problem` says why
  };
  Form form = Form::kDer;
  std::string label;  // of the PEM block
  base::Bytes raw;
  std::uint64_t offset = 0;  // octets from the start of the file
  std::uint32_t index = 0;   // counted from 1 within the file
  std::optional<Finding> problem;
};

// Largest encoding and largest PEM block that are read, in octets.
inline constexpr std::size_t kLargestItem = std::size_t{16} << 20;
inline constexpr std::size_t kLargestBlock = std::size_t{24} << 20;

// ByteSource fills the buffer and returns how many octets it wrote, 0 at the end.
using ByteSource = std::function<base::Result<std::size_t>(std::span<std::uint8_t>)>;

class BundleReader final {
 public:
  explicit BundleReader(ByteSource source) : source_(std::move(source)) {}

  // Next returns the next item, nullopt at the end; an error of the source as it is.
  // A file without any item yields one problem, BUNDLE-01.
  base::Result<std::optional<BundleItem>> Next();

 private:
  base::ByteView Available() const { return base::ByteView(buffer_).subspan(begin_, end_ - begin_); }
  base::Result<void> Fill(std::size_t want);
  void Consume(std::size_t octets) { begin_ += octets; }
  std::uint64_t Here() const { return base_ + begin_; }
  BundleItem Cut(BundleItem::Form form, std::size_t octets);
  BundleItem Problem(RuleId rule, std::string message);

  base::Result<BundleItem> CutDer();
  base::Result<BundleItem> CutBlock();
  // SkipToStart consumes everything up to the next start of an item.
  base::Result<void> SkipToStart();
  // IsOneDamagedItem is true for a small file in which nothing begins and which is not text.
  base::Result<bool> IsOneDamagedItem();
  base::Result<std::optional<BundleItem>> SkipText();

  ByteSource source_;
  base::Bytes buffer_;
  std::size_t begin_ = 0;   // of what is not consumed, in buffer_
  std::size_t end_ = 0;     // of what was read
  std::uint64_t base_ = 0;  // offset in the file of buffer_[0]
  bool at_end_ = false;
  std::uint32_t count_ = 0;
};

// DerOf returns the encoding of an item; for a PEM block that breaks RFC 7468
// but can be read, it adds BUNDLE-03 to `findings` and reads on. nullopt when
// there is nothing to lint. The view points into the item or into `storage`.
std::optional<base::ByteView> DerOf(const BundleItem& item, base::Bytes& storage, std::vector<Finding>& findings);

// LooksLikeCrl tells a CertificateList from a Certificate by where its times stand.
bool LooksLikeCrl(base::ByteView der);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_BUNDLE_H_
