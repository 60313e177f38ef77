#include <fmt/format.h>
#include <glob.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/fleet_commands.h"
#include "ceremony/cli/own_output.h"
#include "ceremony/cli/report_error.h"
#include "ceremony/room/typesetter.h"
#include "ceremony/script/binding.h"
#include "hsm/describe.h"
#include "hsm/module.h"
#include "hsm/token_state.h"

namespace ceremony::cli {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;
using nlohmann::ordered_json;

// Where Debian packages and vendors put their modules (glob patterns).
constexpr const char* kUsualPlaces[] = {
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/*/softhsm/libsofthsm2.so",
    "/usr/lib/*/opensc-pkcs11.so",
    "/usr/lib/*/libykcs11.so.[0-9]",
    "/usr/lib/*/libtpm2_pkcs11.so.[0-9]",
    "/usr/lib/*/opencryptoki/libopencryptoki.so",
    "/usr/lib/*/pkcs11/libkryoptic_pkcs11.so",
    "/usr/safenet/lunaclient/lib/libCryptoki2_64.so",
    "/opt/nfast/toolkits/pkcs11/libcknfast.so",
    "/opt/utimaco/lib/libcs_pkcs11_R*.so",
    "/opt/cloudhsm/lib/libcloudhsm_pkcs11.so",
};

struct Arguments {
  std::vector<std::string> modules;
  std::string init_args;
  std::string binding;
  bool json = false;
};

// What one module had to say.
struct Listing {
  std::string path;
  std::shared_ptr<hsm::Module> module;
  std::vector<hsm::TokenInfo> tokens;
  std::optional<base::Error> error;
};

// One file under two names is one module: Debian links the old places to the new.
std::vector<hsm::ModuleOptions> FindModules() {
  std::vector<hsm::ModuleOptions> found;
  std::set<std::string> seen;
  for (const char* pattern : kUsualPlaces) {
    glob_t matches{};
    if (glob(pattern, 0, nullptr, &matches) == 0) {
      for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
        std::error_code error;
        const std::string real = std::filesystem::canonical(matches.gl_pathv[i], error).string();
        if (!error && seen.insert(real).second) found.push_back({matches.gl_pathv[i], {}, {}});
      }
    }
    globfree(&matches);
  }
  return found;
}

Result<std::vector<hsm::ModuleOptions>> ChooseModules(const Arguments& arguments) {
  std::vector<hsm::ModuleOptions> modules;
  if (!arguments.binding.empty()) {
    KC_ASSIGN_OR_RETURN(const script::Binding binding, script::ReadBinding(arguments.binding));
    std::set<std::string> seen;
    for (const script::TokenBinding& token : binding.tokens) {
      if (seen.insert(token.module).second) modules.push_back({token.module, token.environment, token.init_args});
    }
    return modules;
  }
  for (const std::string& path : arguments.modules) modules.push_back({path, {}, arguments.init_args});
  if (!modules.empty()) return modules;
  modules = FindModules();
  if (!modules.empty()) return modules;
  return MakeError(ErrorCode::kToken, "no PKCS#11 module was found in the usual places")
      .WithHint("name one with --module PATH");
}

Listing ListModule(const hsm::ModuleOptions& options) {
  Listing listing;
  listing.path = options.path;
  Result<std::shared_ptr<hsm::Module>> module = hsm::Module::Load(options, nullptr);
  if (!module.ok()) {
    listing.error = std::move(module).error();
    return listing;
  }
  listing.module = *module;
  Result<std::vector<hsm::TokenInfo>> tokens = listing.module->ListTokens();
  if (tokens.ok()) {
    listing.tokens = *std::move(tokens);
  } else {
    listing.error = std::move(tokens).error();
  }
  return listing;
}

ordered_json ToJson(const hsm::TokenInfo& token) {
  ordered_json object;
  object["slot"] = hsm::HexNumber(token.slot);
  object["slot_id"] = token.slot;  // as `uninitialised` of a binding takes it
  object["label"] = token.label;
  object["serial"] = token.serial;
  object["manufacturer"] = token.manufacturer;
  object["model"] = token.model;
  object["firmware"] = token.firmware_version;
  object["hardware"] = token.hardware_version;
  object["slot_description"] = token.slot_description;
  object["state"] = ordered_json::array();
  for (const hsm::TokenState& state : hsm::StatesOf(token)) object["state"].push_back(state.name);
  return object;
}

ordered_json ToJson(const Listing& listing) {
  ordered_json object;
  object["path"] = listing.path;
  if (listing.module != nullptr) {
    const hsm::ModuleInfo& info = listing.module->info();
    const Result<std::string> digest = listing.module->FileSha256();
    object["sha256"] = digest.ok() ? ordered_json(*digest) : ordered_json(nullptr);
    object["manufacturer"] = info.manufacturer;
    object["description"] = info.description;
    object["library_version"] = info.library_version;
    object["cryptoki_version"] = info.cryptoki_version;
  }
  object["error"] = listing.error ? ordered_json(listing.error->message) : ordered_json(nullptr);
  object["tokens"] = ordered_json::array();
  for (const hsm::TokenInfo& token : listing.tokens) object["tokens"].push_back(ToJson(token));
  return object;
}

std::vector<room::Fact> FactsOf(const hsm::TokenInfo& token) {
  std::string state;
  for (const hsm::TokenState& each : hsm::StatesOf(token)) {
    if (!state.empty()) state += ", ";
    state += each.words;
  }
  return {{"token", token.initialised() ? token.label : "(none: the slot is free)"},
          {"serial", token.serial},
          {"maker, model", token.manufacturer + ", " + token.model},
          {"firmware", token.firmware_version},
          {"state", state},
          {"slot", fmt::format("{} ({}){}", token.slot, hsm::HexNumber(token.slot),
                               token.slot_description.empty() ? "" : ", " + token.slot_description)}};
}

std::string SetText(const Listing& listing, const room::Typesetter& typesetter) {
  std::vector<room::Fact> facts = {{"module", listing.path}};
  if (listing.module != nullptr) {
    const hsm::ModuleInfo& info = listing.module->info();
    facts.push_back({"library", info.manufacturer + ", " + info.description + ", version " + info.library_version +
                                    ", PKCS#11 " + info.cryptoki_version});
  }
  std::string out = typesetter.SetFacts(facts);
  if (listing.error) return out + typesetter.SetSaying(room::Tone::kBad, listing.error->message);
  if (listing.tokens.empty()) return out + '\n' + typesetter.SetSaying(room::Tone::kPlain, "no token is plugged in");
  for (const hsm::TokenInfo& token : listing.tokens) {
    out += '\n' + typesetter.SetFacts(FactsOf(token));
    for (const hsm::TokenState& state : hsm::StatesOf(token)) {
      if (state.alarming) out += typesetter.SetSaying(room::Tone::kWarning, state.words);
    }
  }
  return out;
}

Result<int> ListTokens(const Arguments& arguments, const Streams& streams) {
  hsm::IgnoreBrokenPipes();
  KC_ASSIGN_OR_RETURN(const std::vector<hsm::ModuleOptions> modules, ChooseModules(arguments));
  const bool asked_for = !arguments.modules.empty() || !arguments.binding.empty();
  int status = kExitDone;
  ordered_json list = ordered_json::array();
  const room::Typesetter typesetter(LookOfOutput());
  for (const hsm::ModuleOptions& options : modules) {
    const Listing listing = ListModule(options);
    // A module that merely lies about on this machine need not work.
    if (listing.error && asked_for) {
      ReportError(*listing.error, streams.err);
      status = kExitToken;
    }
    if (arguments.json) {
      list.push_back(ToJson(listing));
    } else {
      streams.out << (&options == modules.data() ? "" : "\n\n") << SetText(listing, typesetter);
    }
  }
  if (arguments.json) {
    const ordered_json object = {{"modules", std::move(list)}};
    streams.out << object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
  }
  return status;
}

}  // namespace

void AddTokenList(CLI::App& program, Action& chosen) {
  CLI::App* token =
      program.add_subcommand("token", "`token list` shows what is plugged in, `token probe` what it can do")
          ->group(kPrepare)
          ->require_subcommand(1);
  CLI::App* list = token->add_subcommand("list", "list modules and their tokens");
  const auto arguments = std::make_shared<Arguments>();
  CLI::Option* module = list->add_option("--module", arguments->modules,
                                         "a PKCS#11 module; may be given again; else those in the usual places")
                            ->type_name("PATH");
  list->add_option("--init-args", arguments->init_args, "what the module is started with, as NSS wants it")
      ->type_name("TEXT")
      ->needs(module);
  list->add_option("--binding", arguments->binding, "the modules of a binding, started as it says")
      ->type_name("FILE")
      ->excludes(module);
  list->add_flag("--json", arguments->json, "print one JSON object");
  WhenChosen(*list, chosen, arguments, ListTokens);
  AddTokenProbe(*token, chosen);
}

}  // namespace ceremony::cli
