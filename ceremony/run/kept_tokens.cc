#include "ceremony/run/kept_tokens.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "ceremony/run/private_file.h"
#include "hsm/base/digest.h"
#include "hsm/cryptoki.h"

namespace ceremony::run {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTokenFile = "token.object";

// SoftHSM's own attribute numbers (CKA_VENDOR_DEFINED | 0x5348, counted on).
constexpr std::uint64_t kLabel = 0x80005349;
constexpr std::uint64_t kSerial = 0x8000534a;
constexpr std::uint64_t kFlags = 0x8000534b;
constexpr std::uint64_t kOfficerPin = 0x8000534c;
constexpr std::uint64_t kUserPin = 0x8000534d;
// How it says what kind of value follows.
constexpr std::uint64_t kBool = 1;
constexpr std::uint64_t kNumber = 2;
constexpr std::uint64_t kBytes = 3;

std::optional<base::ByteView> Take(std::uint64_t size, base::ByteView& rest) {
  if (size > rest.size()) return std::nullopt;
  const base::ByteView taken = rest.first(size);
  rest = rest.subspan(size);
  return taken;
}

std::optional<std::uint64_t> TakeNumber(base::ByteView& rest) {
  const auto bytes = Take(8, rest);
  if (!bytes) return std::nullopt;
  std::uint64_t number = 0;
  for (const std::uint8_t byte : *bytes) number = number << 8 | byte;
  return number;
}

// Attributes of a token file by number; nothing when the last one is not whole.
std::optional<std::map<std::uint64_t, base::ByteView>> Attributes(base::ByteView rest) {
  if (!TakeNumber(rest)) return std::nullopt;  // the generation
  std::map<std::uint64_t, base::ByteView> attributes;
  while (!rest.empty()) {
    const auto type = TakeNumber(rest);
    const auto kind = TakeNumber(rest);
    if (!type || !kind) return std::nullopt;
    std::optional<std::uint64_t> size;
    if (*kind == kBool) size = 1;
    if (*kind == kNumber) size = 8;
    if (*kind == kBytes) size = TakeNumber(rest);
    if (!size) return std::nullopt;
    const auto value = Take(*size, rest);
    if (!value) return std::nullopt;
    attributes[*type] = *value;
  }
  return attributes;
}

// An unreadable or missing file is an empty one: both are to be put back.
base::Bytes ReadBytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Trimmed(base::ByteView padded) {
  std::string text(base::AsText(padded));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

// The folders of the tokens, in a fixed order.
std::vector<fs::path> TokenFolders(const std::string& tokens) {
  std::vector<fs::path> folders;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(tokens, ignored)) {
    if (entry.is_directory(ignored)) folders.push_back(entry.path());
  }
  std::ranges::sort(folders);
  return folders;
}

class KeepingObserver final : public hsm::CallObserver {
 public:
  KeepingObserver(KeptTokens kept, std::shared_ptr<hsm::CallObserver> inner)
      : kept_(std::move(kept)), inner_(inner ? std::move(inner) : std::make_shared<hsm::CallObserver>()) {}

  void Called(hsm::Function function, CK_RV rv, std::chrono::nanoseconds duration) override {
    inner_->Called(function, rv, duration);
  }
  base::Result<void> Before(const hsm::ConsequentialCall& call) override { return inner_->Before(call); }
  base::Result<void> After(const hsm::ConsequentialCall& call, const hsm::CallOutcome& outcome) override {
    KC_RETURN_IF_ERROR(inner_->After(call, outcome));
    const bool changes_token = call.function == hsm::Function::kInitToken || call.function == hsm::Function::kInitPin ||
                               call.function == hsm::Function::kSetPin;
    return changes_token ? kept_.Keep() : base::Result<void>();
  }
  void Trouble(const base::Error& error) override { inner_->Trouble(error); }
  std::uint64_t NextCallNumber() override { return inner_->NextCallNumber(); }

 private:
  KeptTokens kept_;
  std::shared_ptr<hsm::CallObserver> inner_;
};

// IsUnfinished: SoftHSM makes a token with its security officer's PIN locked, and unlocks that when it has set the PIN.
// It locks none for another reason. What is in the folder of such a token is what a C_InitToken that was cut off has
// left.
bool IsUnfinished(const fs::path& folder, base::ByteView bytes) {
  const auto attributes = Attributes(bytes);
  if (!attributes || !attributes->contains(kFlags) || !attributes->contains(kLabel) || !attributes->contains(kSerial))
    return false;
  base::ByteView value = attributes->at(kFlags);
  const auto flags = TakeNumber(value);
  std::error_code unread;
  for (const auto& entry : fs::directory_iterator(folder, unread)) {
    if (entry.path().filename() != kTokenFile && entry.path().extension() != ".lock" &&
        entry.path().filename() != "generation")
      return false;  // it holds something
  }
  return !unread && flags && (*flags & CKF_SO_PIN_LOCKED) != 0;
}

}  // namespace

bool IsWholeTokenFile(base::ByteView bytes) {
  const auto attributes = Attributes(bytes);
  if (!attributes) return false;
  for (const std::uint64_t needed : {kLabel, kSerial, kFlags, kOfficerPin}) {
    if (!attributes->contains(needed)) return false;
  }
  base::ByteView flags_value = attributes->at(kFlags);
  const auto flags = TakeNumber(flags_value);
  if (flags && (*flags & CKF_SO_PIN_LOCKED) != 0) return false;  // it was not made to its end
  return flags && ((*flags & CKF_USER_PIN_INITIALIZED) == 0 || attributes->contains(kUserPin));
}

base::Result<void> KeptTokens::Keep() const {
  KC_RETURN_IF_ERROR(MakePrivateFolder(copies_));
  for (const fs::path& folder : TokenFolders(tokens_)) {
    const base::Bytes bytes = ReadBytes(folder / kTokenFile);
    const std::string copy = copies_ + "/" + folder.filename().string();
    if (IsWholeTokenFile(bytes) && ReadBytes(copy) != bytes) KC_RETURN_IF_ERROR(WritePrivateFile(copy, bytes));
  }
  return {};
}

base::Result<std::vector<MendedToken>> KeptTokens::PutBack() const {
  std::vector<MendedToken> mended;
  for (const fs::path& folder : TokenFolders(tokens_)) {
    const fs::path path = folder / kTokenFile;
    const base::Bytes torn = ReadBytes(path);
    const base::Bytes copy = ReadBytes(copies_ + "/" + folder.filename().string());
    if (copy.empty() && IsUnfinished(folder, torn)) {
      std::error_code failed;
      fs::remove_all(folder, failed);
      if (failed) return base::SystemError("remove", folder.string(), failed.value());
      const auto attributes = Attributes(torn);
      mended.push_back(
          {Trimmed(attributes->at(kLabel)), Trimmed(attributes->at(kSerial)), torn.size(), base::Sha256Hex(torn), ""});
      continue;
    }
    if (IsWholeTokenFile(torn)) continue;
    if (!IsWholeTokenFile(copy)) continue;  // a token that was not made yet
    KC_RETURN_IF_ERROR(WritePrivateFile(path.string(), copy));
    const auto attributes = Attributes(copy);
    mended.push_back({Trimmed(attributes->at(kLabel)), Trimmed(attributes->at(kSerial)), torn.size(),
                      base::Sha256Hex(torn), base::Sha256Hex(copy)});
  }
  KC_RETURN_IF_ERROR(Keep());
  return mended;
}

std::shared_ptr<hsm::CallObserver> KeepTokens(const KeptTokens& kept, std::shared_ptr<hsm::CallObserver> inner) {
  return std::make_shared<KeepingObserver>(kept, std::move(inner));
}

}  // namespace ceremony::run
