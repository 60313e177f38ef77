// The lint of certification requests: what a certificate would be held to, as
// far as a request says it.
#include <algorithm>

#include "ceremony/x509/curves.h"
#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/request.h"

namespace ceremony::x509 {
namespace {

// A request has no issuer: it is judged as a certificate of its own key.
TbsView AsCertificate(const RequestInfoView& info) {
  TbsView tbs;
  tbs.whole = info.whole;
  tbs.version = 3;
  tbs.issuer = info.subject;
  tbs.subject = info.subject;
  tbs.spki = info.spki;
  tbs.extensions_whole = info.attributes_whole;
  tbs.extension_list = info.extension_list;
  tbs.extension_count = info.extension_count;
  return tbs;
}

void LintContent(const TbsView& tbs, Findings& findings) {
  const lint::ExtensionSummary summary = lint::LintExtensions(tbs, findings);
  const bool named = NameReader(tbs.subject).Next().has_value();
  if (named) lint::LintNames(tbs, summary, findings);  // an empty one is filled, or not, by the CA
}

enum class Depth { kProof, kAll };

std::vector<Finding> Lint(base::ByteView der, Depth depth) {
  Findings findings(der);
  RequestView view;
  if (ParseRequest(der, view, findings)) {
    const Curves curves;
    const TbsView tbs = AsCertificate(view.info);
    lint::LintKey(tbs.spki, curves, findings);
    if (depth == Depth::kAll) LintContent(tbs, findings);
    lint::LintAlgorithm(view.algorithm, findings);
    lint::LintSignatureParts({&view.algorithm, &view.algorithm, view.signature, view.signature_unused_bits, &tbs},
                             curves, findings);
  }
  return std::move(findings).Take();
}

}  // namespace

std::vector<Finding> LintRequestInfoBytes(base::ByteView info) {
  Findings findings(info);
  RequestInfoView view;
  if (ParseRequestInfo(info, view, findings)) {
    const TbsView tbs = AsCertificate(view);
    lint::LintKey(tbs.spki, Curves(), findings);
    LintContent(tbs, findings);
  }
  return std::move(findings).Take();
}

std::vector<Finding> LintRequest(base::ByteView der) { return Lint(der, Depth::kAll); }
std::vector<Finding> LintRequestProof(base::ByteView der) { return Lint(der, Depth::kProof); }

}  // namespace ceremony::x509
