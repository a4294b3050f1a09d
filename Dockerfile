# Ringmaster itself, and (target lab) the standing telephones of the lab. Build from the root of the repository.
FROM node:20-bookworm-slim AS modules
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci

FROM modules AS build
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM modules AS lab
COPY tsconfig.json ./
COPY lab ./lab
USER node
ENTRYPOINT ["node", "--import", "tsx", "lab/phones-main.ts"]

FROM node:20-bookworm-slim AS ringmaster
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
EXPOSE 8090
ENTRYPOINT ["node", "dist/main.js"]
CMD ["--config", "/etc/ringmaster/ringmaster.yaml"]
