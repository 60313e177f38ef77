#include "ceremony/x509/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/pem.h"
#include "ceremony/x509/rule_id.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kMostLabel = 64;
constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();
// Octets that must be in view to know the start of a certificate: two headers and a tag.
constexpr std::size_t kStartOctets = 16;
// Octets that are looked at first for the next start.
constexpr std::size_t kFirstStep = 512;
// Octets after an encoding that are still said to trail it.
constexpr std::size_t kMostTrailing = std::size_t{64} << 10;

bool IsSpace(std::uint8_t octet) { return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n'; }
bool IsBinary(std::uint8_t octet) { return (octet < 0x20 && !IsSpace(octet) && octet != '\f') || octet == 0x7f; }

// The octets of a header, and the length it states; nullopt for an indefinite
// length or one beyond 64 bits.
struct Stated {
  std::size_t header = 0;
  std::uint64_t content = 0;
};
std::optional<Stated> StatedLength(base::ByteView bytes) {
  if (bytes.size() < 2 || bytes[1] == 0x80) return std::nullopt;
  if (bytes[1] < 0x80) return Stated{2, bytes[1]};
  const std::size_t octets = bytes[1] & 0x7fU;
  if (octets > 8 || bytes.size() < 2 + octets) return std::nullopt;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < octets; ++i) length = length << 8 | bytes[2 + i];
  if (length > std::numeric_limits<std::uint64_t>::max() / 2) return std::nullopt;
  return Stated{2 + octets, length};
}

// A certificate or CRL begins with two SEQUENCEs of at least 128 octets, then
// [0] or a short INTEGER.
bool BeginsDer(base::ByteView bytes) {
  for (int level = 0; level < 2; ++level) {
    if (bytes.size() < 2 || bytes[0] != tag::kSequence || bytes[1] < 0x81 || bytes[1] > 0x83) return false;
    bytes = bytes.size() > 2U + (bytes[1] & 0x7fU) ? bytes.subspan(2U + (bytes[1] & 0x7fU)) : base::ByteView{};
  }
  if (bytes.size() < 2) return false;
  return (bytes[0] == 0xa0 && bytes[1] == 3) || (bytes[0] == tag::kInteger && bytes[1] >= 1 && bytes[1] <= 20) ||
         bytes[0] == tag::kSequence;
}

std::size_t FindText(base::ByteView bytes, std::string_view text, std::size_t from) {
  return base::AsText(bytes).find(text, from);
}

// Where the first certificate or block begins from `from` on and before `end`; kNowhere when none does.
std::size_t FindStart(base::ByteView bytes, std::size_t from, std::size_t end) {
  end = std::min(end, bytes.size());
  // A step at a time, each twice as long: however much is at hand, what is near is found without looking at the rest.
  for (std::size_t step = kFirstStep; from < end; step *= 2) {
    const std::size_t until = from + std::min(step, end - from);
    const base::ByteView seen = bytes.first(std::min(until + kBegin.size() - 1, bytes.size()));
    const std::size_t block = std::min(FindText(seen, kBegin, from), until);
    for (std::size_t at = from; at < block;) {
      const void* found = std::memchr(bytes.data() + at, tag::kSequence, block - at);
      if (found == nullptr) break;
      at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
      if (BeginsDer(bytes.subspan(at))) return at;
      ++at;
    }
    if (block < until) return block;
    from = until;
  }
  return kNowhere;
}

}  // namespace

base::Result<void> BundleReader::Fill(std::size_t want) {
  while (!at_end_ && end_ - begin_ < want) {
    // What was consumed makes room before the buffer grows.
    if (begin_ > 0 && buffer_.size() - begin_ < want + kChunk) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      base_ += begin_;
      end_ -= begin_;
      begin_ = 0;
    }
    if (buffer_.size() - end_ < kChunk) buffer_.resize(std::max(buffer_.size() * 2, end_ + 2 * kChunk));
    KC_ASSIGN_OR_RETURN(const std::size_t count, source_(std::span(buffer_).subspan(end_)));
    at_end_ = count == 0;
    end_ += count;
  }
  return {};
}

BundleItem BundleReader::Cut(BundleItem::Form form, std::size_t octets) {
  BundleItem item;
  item.form = form;
  item.offset = Here();
  item.index = ++count_;
  item.raw = base::ToBytes(Available().first(octets));
  Consume(octets);
  return item;
}

BundleItem BundleReader::Problem(RuleId rule, std::string message) {
  BundleItem item;
  item.form = BundleItem::Form::kProblem;
  item.offset = Here();
  item.index = ++count_;
  item.problem = Finding{rule, 0, std::move(message)};
  return item;
}

base::Result<BundleItem> BundleReader::CutDer() {
  const std::optional<Stated> stated = StatedLength(Available());
  const std::uint64_t total = stated ? stated->header + stated->content : 0;
  if (stated && total <= kLargestItem) KC_RETURN_IF_ERROR(Fill(static_cast<std::size_t>(total) + kStartOctets));
  if (stated && total <= Available().size()) {
    const auto size = static_cast<std::size_t>(total);
    const base::ByteView after = Available().subspan(size);
    const bool clean = after.empty() ||
                       (after.size() >= 2 && after[0] == tag::kSequence && after[1] >= 0x80 && after[1] <= 0x84) ||
                       base::AsText(after).starts_with(kDashes);
    if (clean) return Cut(BundleItem::Form::kDer, size);
    KC_RETURN_IF_ERROR(Fill(size + kMostTrailing + kStartOctets));
    // One that was cut off states more octets than it has, and would swallow the start of the next.
    if (const std::size_t inner = FindStart(Available(), 1, size); inner != kNowhere)
      return Cut(BundleItem::Form::kDer, inner);
    const std::size_t next = FindStart(Available(), size, size + kMostTrailing);
    return Cut(BundleItem::Form::kDer, std::min({next, Available().size(), size + kMostTrailing}));
  }
  // The length is wrong, or the item too large: it ends where the next one begins.
  KC_RETURN_IF_ERROR(Fill(kLargestItem + kStartOctets));
  const std::size_t next = FindStart(Available(), 1, kLargestItem + 1);
  if (next != kNowhere) return Cut(BundleItem::Form::kDer, next);
  if (Available().size() <= kLargestItem) return Cut(BundleItem::Form::kDer, Available().size());
  BundleItem item = Problem(
      RuleId::kBundle05,
      stated ? fmt::format("an encoding states {} octets of contents, {} are the most", stated->content, kLargestItem)
             : fmt::format("an encoding does not end within {} octets", kLargestItem));
  Consume(kLargestItem);
  // The rest of it is not reported again.
  KC_RETURN_IF_ERROR(SkipToStart());
  return item;
}

base::Result<void> BundleReader::SkipToStart() {
  while (true) {
    const std::size_t start = FindStart(Available(), 0, kNowhere);
    if (start != kNowhere) {
      Consume(start);
      return {};
    }
    Consume(Available().size() - std::min(Available().size(), at_end_ ? 0 : kStartOctets));
    if (at_end_) return {};
    KC_RETURN_IF_ERROR(Fill(kChunk));
  }
}

base::Result<BundleItem> BundleReader::CutBlock() {
  std::size_t scanned = kBegin.size();
  while (true) {
    const base::ByteView bytes = Available();
    // Dashes end the first line, then the next ones begin the last line.
    const std::size_t title_end = FindText(bytes, kDashes, kBegin.size());
    const bool titled = title_end != std::string_view::npos && title_end <= kBegin.size() + kMostLabel;
    std::string label(titled ? base::AsText(bytes).substr(kBegin.size(), title_end - kBegin.size()) : "");
    if (titled) scanned = std::max(scanned, title_end + kDashes.size());
    const std::size_t dashes = titled ? FindText(bytes, kDashes, scanned) : std::string_view::npos;
    const std::string end = fmt::format("{}{}{}", kEnd, label, kDashes);
    const bool whole = dashes != std::string_view::npos && bytes.size() - dashes >= end.size();
    if (whole && base::AsText(bytes.subspan(dashes)).starts_with(end)) {
      if (label == "CERTIFICATE" || label == "X509 CRL") {
        BundleItem item = Cut(BundleItem::Form::kPem, dashes + end.size());
        item.label = std::move(label);
        return item;
      }
      BundleItem item =
          Problem(RuleId::kBundle04, fmt::format("a PEM block {} is neither a certificate nor a CRL, and is not judged",
                                                 SafeText(base::AsBytes(label))));
      Consume(dashes + end.size());
      return item;
    }
    if (whole || at_end_ || bytes.size() > kLargestBlock ||
        (!titled && bytes.size() > kBegin.size() + kMostLabel + kDashes.size())) {
      const std::string shown = SafeText(base::AsBytes(label));
      BundleItem item = Problem(
          RuleId::kBundle02, !titled ? fmt::format("a PEM block begins without a label that ends with {}", kDashes)
                             : whole || at_end_
                                 ? fmt::format("the PEM block {} has no line {}{}{}", shown, kEnd, label, kDashes)
                                 : fmt::format("the PEM block {} does not end within {} octets", shown, kLargestBlock));
      item.problem->message = SafeText(base::AsBytes(item.problem->message));
      Consume(whole ? dashes : titled ? bytes.size() : kBegin.size());
      return item;
    }
    // Searched once: what was seen cannot begin the last line, but for its last four octets.
    if (titled) scanned = std::max(scanned, bytes.size() - std::min(bytes.size(), kDashes.size() - 1));
    if (dashes != std::string_view::npos) scanned = dashes;
    KC_RETURN_IF_ERROR(Fill(bytes.size() + kChunk));
  }
}

base::Result<bool> BundleReader::IsOneDamagedItem() {
  if (Here() != 0) return false;
  KC_RETURN_IF_ERROR(Fill(kLargestItem + kStartOctets));
  const base::ByteView all = Available();
  const base::ByteView head = all.first(std::min<std::size_t>(all.size(), 512));
  return all.size() <= kLargestItem && FindStart(all, 0, kNowhere) == kNowhere &&
         std::any_of(head.begin(), head.end(), IsBinary);
}

base::Result<std::optional<BundleItem>> BundleReader::SkipText() {
  KC_ASSIGN_OR_RETURN(const bool damaged, IsOneDamagedItem());
  if (damaged) return std::optional(Cut(BundleItem::Form::kDer, Available().size()));
  std::optional<std::uint64_t> binary_at;
  std::uint8_t binary = 0;
  const std::uint64_t began = Here();
  while (true) {
    const base::ByteView bytes = Available();
    const std::size_t start = FindStart(bytes, 0, kNowhere);
    const std::size_t keep = at_end_ ? 0 : std::min(bytes.size(), kStartOctets);
    const std::size_t skipped = start != kNowhere ? start : bytes.size() - keep;
    if (!binary_at) {
      const auto found = std::find_if(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(skipped), IsBinary);
      if (found != bytes.begin() + static_cast<std::ptrdiff_t>(skipped)) {
        binary = *found;
        binary_at = Here() + static_cast<std::uint64_t>(found - bytes.begin());
      }
    }
    Consume(skipped);
    if (start != kNowhere || at_end_) break;
    KC_RETURN_IF_ERROR(Fill(kChunk));
  }
  std::optional<BundleItem> item;
  if (binary_at) {
    item = Problem(RuleId::kBundle01,
                   fmt::format("{} octets that belong to no certificate or CRL, the octet {:02x} at {} among them",
                               Here() - began, binary, *binary_at));
  } else if (count_ == 0 && at_end_ && Available().empty()) {
    item = Problem(RuleId::kBundle01, Here() == 0 ? "the file is empty" : "there is no certificate or CRL in the file");
  }
  if (item) item->offset = began;
  return item;
}

base::Result<std::optional<BundleItem>> BundleReader::Next() {
  while (true) {
    KC_RETURN_IF_ERROR(Fill(kBegin.size() + kMostLabel));
    const base::ByteView bytes = Available();
    if (bytes.empty() && count_ > 0) return std::optional<BundleItem>();
    // '0' is the octet of a SEQUENCE; what is text as far as it can be seen at a glance is none.
    const base::ByteView head = bytes.first(std::min(bytes.size(), kBegin.size() + kMostLabel));
    const bool short_text = bytes.size() >= 2 && bytes[1] < 0x80 && std::none_of(head.begin(), head.end(), IsBinary);
    if (!bytes.empty() && bytes[0] == tag::kSequence && !short_text) {
      KC_ASSIGN_OR_RETURN(BundleItem item, CutDer());
      return std::optional(std::move(item));
    }
    if (base::AsText(bytes).starts_with(kBegin)) {
      KC_ASSIGN_OR_RETURN(BundleItem item, CutBlock());
      return std::optional(std::move(item));
    }
    KC_ASSIGN_OR_RETURN(std::optional<BundleItem> item, SkipText());
    if (item) return item;
  }
}

std::optional<base::ByteView> DerOf(const BundleItem& item, base::Bytes& storage, std::vector<Finding>& findings) {
  if (item.form == BundleItem::Form::kProblem) {
    findings.push_back(*item.problem);
    return std::nullopt;
  }
  if (item.form == BundleItem::Form::kDer) return item.raw;
  const std::string_view text = base::AsText(item.raw);
  auto der = PemDecode(item.label, text);
  if (!der) {
    findings.push_back({RuleId::kBundle03, 0, der.error().message});
    std::string base64;
    const std::size_t first = kBegin.size() + item.label.size() + kDashes.size();
    for (const char c : text.substr(first, text.size() - first - kEnd.size() - item.label.size() - kDashes.size())) {
      if (!IsSpace(static_cast<std::uint8_t>(c))) base64 += c;
    }
    der = base::Base64Decode(base64);
    if (!der || der->empty()) return std::nullopt;
  }
  storage = std::move(der).value();
  return storage;
}

bool LooksLikeCrl(base::ByteView der) {
  const Header outer = ReadElement(der);
  const Header tbs = ReadElement(outer.element.content);
  base::ByteView rest = tbs.element.content;
  const auto skip = [&](std::uint8_t identifier) {
    const Header header = ReadElement(rest);
    if (header.element.whole.empty() || header.element.identifier != identifier) return false;
    rest = rest.subspan(header.element.whole.size());
    return true;
  };
  skip(tag::kInteger);
  if (!skip(tag::kSequence) || !skip(tag::kSequence) || rest.empty()) return false;
  return rest[0] == tag::kUtcTime || rest[0] == tag::kGeneralizedTime;
}

}  // namespace ceremony::x509
