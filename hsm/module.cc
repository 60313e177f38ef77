#include "hsm/module.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>

#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/growing_list.h"
#include "hsm/observed_cryptoki.h"
#include "hsm/real_cryptoki.h"

namespace hsm {
namespace {

// NSS reads LibraryParameters where the standard has pReserved, and pReserved
// behind it; the longer structure serves everybody.
struct InitializeArguments {
  CK_C_INITIALIZE_ARGS standard;
  void* nss_reserved;
};

// Fixed fields are padded with blanks; some modules end them with NUL instead.
template <std::size_t N>
std::string Trimmed(const unsigned char (&field)[N]) {
  std::string_view text(reinterpret_cast<const char*>(field), N);
  text = text.substr(0, text.find('\0'));
  const std::size_t last = text.find_last_not_of(' ');
  text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  // Labels go into messages and records: what is no plain text is spelled in hex.
  return DescribeValue(CKA_LABEL, base::AsBytes(text));
}

std::string VersionText(const CK_VERSION& version) { return fmt::format("{}.{}", version.major, version.minor); }

Result<void> SetEnvironment(const ModuleOptions& options) {
  for (const auto& [name, value] : options.environment) {
    if (name.empty() || name.find('=') != std::string::npos || setenv(name.c_str(), value.c_str(), 1) != 0) {
      return base::MakeError(ErrorCode::kInvalidInput,
                             fmt::format("\"{}\" cannot be set in the environment of module {}", name, options.path));
    }
  }
  return {};
}

}  // namespace

std::string TokenInfo::Name() const {
  if (!initialised()) return fmt::format("uninitialised token in slot {}", slot);
  return fmt::format("token \"{}\" (serial {})", label, serial.empty() ? "none" : serial);
}

Module::Module(std::unique_ptr<CryptokiApi> api, const ModuleOptions& options, std::shared_ptr<CallObserver> observer)
    : options_(options),
      observer_(observer ? std::move(observer) : std::make_shared<CallObserver>()),
      loaded_file_(StampOf(options.path)) {
  api_ = std::make_unique<ObservedCryptoki>(std::move(api), observer_);
}

Result<std::shared_ptr<Module>> Module::Load(const ModuleOptions& options, std::shared_ptr<CallObserver> observer) {
  // Some read it when they are loaded (p11-kit-client), some when they are initialised; another module may have
  // changed it in between.
  KC_RETURN_IF_ERROR(SetEnvironment(options));
  KC_ASSIGN_OR_RETURN(auto api, RealCryptoki::Load(options.path));
  return Wrap(std::move(api), options, std::move(observer));
}

Result<std::shared_ptr<Module>> Module::Wrap(std::unique_ptr<CryptokiApi> api, const ModuleOptions& options,
                                             std::shared_ptr<CallObserver> observer) {
  std::shared_ptr<Module> module(new Module(std::move(api), options, std::move(observer)));
  KC_RETURN_IF_ERROR(module->Initialise());
  KC_RETURN_IF_ERROR(module->ReadInfo());
  return module;
}

Module::~Module() {
  if (!initialised_by_us_) return;
  const CK_RV rv = api_->Finalize();
  if (rv != CKR_OK) observer_->Trouble(CallError(Function::kFinalize, rv, "finalising module " + options_.path));
}

Result<void> Module::Initialise() {
  KC_RETURN_IF_ERROR(SetEnvironment(options_));
  InitializeArguments arguments{};
  arguments.standard.flags = CKF_OS_LOCKING_OK;
  if (!options_.init_args.empty()) arguments.standard.pReserved = options_.init_args.data();
  CK_RV rv = api_->Initialize(&arguments);
  if (rv == CKR_CANT_LOCK) {
    // It has no locks of its own; one thread at a time uses a session here.
    arguments.standard.flags = 0;
    rv = api_->Initialize(&arguments);
  }
  if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    if (initialised_by_us_) {
      return base::MakeError(ErrorCode::kToken,
                             fmt::format("module {} says that it is initialised still, after it was finalised: what it "
                                         "holds in memory was not dropped",
                                         options_.path))
          .WithHint("end this program and resume: a new process has nothing of the module in its memory");
    }
    if (!options_.environment.empty() || !options_.init_args.empty()) {
      return base::Refusal(
          "MODULE-INIT-01",
          fmt::format("module {} was initialised before in this process, so that its environment and "
                      "arguments cannot take effect",
                      options_.path),
          "tokens of one module share one entry; a second setting of a module needs a copy of its file");
    }
  } else if (rv != CKR_OK) {
    return CallError(Function::kInitialize, rv, "initialising module " + options_.path)
        .WithHint(
            "a module may want its daemon to run, its configuration by \"environment\", or \"init_args\" in the "
            "binding: see its own documentation");
  } else {
    initialised_by_us_ = true;
  }
  ++generation_;
  return {};
}

Result<void> Module::ReadInfo() {
  CK_INFO info{};
  const CK_RV rv = api_->GetInfo(&info);
  if (rv != CKR_OK) return CallError(Function::kGetInfo, rv, "reading what module " + options_.path + " is");
  info_.path = options_.path;
  info_.manufacturer = Trimmed(info.manufacturerID);
  info_.description = Trimmed(info.libraryDescription);
  info_.library_version = VersionText(info.libraryVersion);
  info_.cryptoki_version = VersionText(info.cryptokiVersion);
  quirks_ = QuirksOf(info_.manufacturer, info_.description, info_.path);
  return {};
}

Result<void> Module::Reinitialise() {
  if (!initialised_by_us_) {
    return base::MakeError(ErrorCode::kUnsupported,
                           fmt::format("module {} was initialised by another part of this process", options_.path));
  }
  const CK_RV rv = api_->Finalize();
  // CKR_CRYPTOKI_NOT_INITIALIZED: an earlier try had come so far, and failed to initialise.
  if (rv != CKR_OK && rv != CKR_CRYPTOKI_NOT_INITIALIZED) {
    return CallError(Function::kFinalize, rv, "finalising module " + options_.path);
  }
  ++generation_;
  return Initialise();
}

Result<TokenInfo> Module::ReadToken(CK_SLOT_ID slot) {
  const std::string doing = fmt::format("reading the token in slot {} of module {}", slot, options_.path);
  CK_SLOT_INFO slot_info{};
  CK_RV rv = api_->GetSlotInfo(slot, &slot_info);
  if (rv != CKR_OK) return CallError(Function::kGetSlotInfo, rv, doing);
  CK_TOKEN_INFO token_info{};
  rv = api_->GetTokenInfo(slot, &token_info);
  if (rv != CKR_OK) return CallError(Function::kGetTokenInfo, rv, doing);
  TokenInfo info;
  info.slot = slot;
  info.slot_description = Trimmed(slot_info.slotDescription);
  info.label = Trimmed(token_info.label);
  info.serial = Trimmed(token_info.serialNumber);
  info.manufacturer = Trimmed(token_info.manufacturerID);
  info.model = Trimmed(token_info.model);
  info.hardware_version = VersionText(token_info.hardwareVersion);
  info.firmware_version = VersionText(token_info.firmwareVersion);
  info.flags = token_info.flags;
  info.pin_min = token_info.ulMinPinLen;
  info.pin_max = token_info.ulMaxPinLen;
  return info;
}

Result<std::vector<TokenInfo>> Module::ListTokens() {
  const std::string doing = "listing the slots of module " + options_.path;
  // The call for the size is also what makes SoftHSM show a new free slot.
  KC_ASSIGN_OR_RETURN(
      const std::vector<CK_SLOT_ID> slots,
      ReadGrowingList<CK_SLOT_ID>(Function::kGetSlotList, doing, "slots", [&](CK_SLOT_ID* into, CK_ULONG* count) {
        return api_->GetSlotList(CK_TRUE, into, count);
      }));
  std::vector<TokenInfo> tokens;
  std::set<CK_SLOT_ID> known;
  for (const CK_SLOT_ID slot : slots) {
    if (!known.insert(slot).second) continue;  // listed twice it is still one token
    Result<TokenInfo> info = ReadToken(slot);
    if (info.ok()) {
      tokens.push_back(std::move(info).value());
    } else {
      observer_->Trouble(info.error());
    }
  }
  return tokens;
}

Result<std::vector<TokenInfo>> Module::ListFreeSlots() {
  KC_ASSIGN_OR_RETURN(std::vector<TokenInfo> tokens, ListTokens());
  std::erase_if(tokens, [](const TokenInfo& token) { return token.initialised(); });
  return tokens;
}

Result<std::string> Module::FileSha256() {
  if (!file_sha256_.empty()) return file_sha256_;
  std::ifstream file(options_.path, std::ios::binary);
  if (!file) return base::SystemError("open", options_.path, errno);
  base::Sha256Stream digest;
  std::vector<char> buffer(65536);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || file.gcount() > 0) {
    digest.Update(base::AsBytes({buffer.data(), static_cast<std::size_t>(file.gcount())}));
  }
  if (file.bad()) return base::SystemError("read", options_.path, errno);
  if (StampOf(options_.path) != loaded_file_) {
    return base::MakeError(ErrorCode::kToken,
                           fmt::format("the file of module {} was replaced since it was loaded, so that the SHA-256 of "
                                       "what is loaded is not known",
                                       options_.path))
        .WithHint("end this program and resume: a new process loads the file that is there now");
  }
  file_sha256_ = base::HexEncode(digest.Finish());
  return file_sha256_;
}

void IgnoreBrokenPipes() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace hsm
