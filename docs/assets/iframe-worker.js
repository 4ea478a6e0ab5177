// Search runs in a worker, which browsers refuse to pages that were opened from disk: there it runs in a hidden frame.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.appendChild(frame)
      this.scope = frame.contentWindow
      this.scope.document.open()
      this.scope.document.write("<body></body>")
      this.scope.document.close()
      this.scope.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      this.scope.importScripts = (...urls) => urls.reduce((before, next) => before.then(() => this.load(next)), Promise.resolve())
      this.started = this.load(url)
    }

    load(url) {
      return new Promise((done, failed) => {
        const script = this.scope.document.createElement("script")
        Object.assign(script, { src: url, onload: done, onerror: failed })
        this.scope.document.body.appendChild(script)
      })
    }

    postMessage(data) {
      this.started.then(() => this.scope.dispatchEvent(new this.scope.MessageEvent("message", { data })))
    }
  }
  window.Worker = window.IFrameWorker
}
