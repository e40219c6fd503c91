# syntax=docker/dockerfile:1
# The monitor with Debian's browsers. Built in two stages, so that no compiler and no package cache is in what runs.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/faultline
COPY requirements.txt ./
RUN /opt/faultline/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY monitor ./monitor
RUN /opt/faultline/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends chromium chromium-headless-shell firefox-esr libnss3-tools fonts-liberation \
 && rm -rf /var/lib/apt/lists/* \
 && find / -xdev -perm /6000 -type f -exec chmod a-s {} + \
 && useradd --uid 10001 --create-home --shell /usr/sbin/nologin faultline \
 && install -d -o faultline -g faultline -m 0700 /var/lib/faultline /etc/faultline/data/demo
COPY --from=build /opt/faultline /opt/faultline
COPY checks /etc/faultline/checks
COPY config /etc/faultline/config
ENV PATH=/opt/faultline/bin:$PATH PYTHONUNBUFFERED=1 HOME=/home/faultline
# For every command that is typed in the container, as for the monitor itself.
ENV FAULTLINE_CONFIG=/etc/faultline/config/monitor.yaml FAULTLINE_DATA=/var/lib/faultline
USER faultline
WORKDIR /etc/faultline
VOLUME /var/lib/faultline
EXPOSE 9488
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9488/-/healthy', timeout=4)"]
ENTRYPOINT ["faultline"]
CMD ["serve", "--config", "/etc/faultline/config/monitor.yaml", "--data", "/var/lib/faultline"]
