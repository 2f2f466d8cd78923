# For those who have Docker; `npm run image` needs none of it and makes a smaller image (docs/images.md). First: npm run build
#   docker build -t REGISTRY/hourglass-operator:TAG .
# The default base is public and is NOT what this project builds or tests: pin it by digest before you rely on it. The base that is built
# and tested here comes from `npm run image -- --only base`. Any base will do that has Node 24 on its PATH; with exactly the Node that ran
# `npm run build` the operator starts from kept code (docs/adr/0013).
ARG BASE=docker.io/library/node:24.21.0-trixie-slim
FROM ${BASE}
USER 0:0
COPY dist/core.js dist/core.cache dist/crd.mjs dist/hourglass.js dist/package.json /app/
COPY dist/chunks/ /app/chunks/
COPY LICENSE /usr/share/doc/hourglass-operator/LICENSE
# Without a shell, since a good base has none: `/manager` is a script for whichever Node this base has.
RUN ["node", "-e", "require('node:fs').writeFileSync('/manager', '#!' + process.execPath + '\\nrequire(\"/app/hourglass.js\");\\n', { mode: 0o755 })"]
USER 65532:65532
ENTRYPOINT ["/manager"]
CMD []
